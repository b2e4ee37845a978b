/** `tap`: a device in the pod that a virtual machine there is plugged into. */
import { type Mac, mac as readMac } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, filled, flag, integer, linkName, optional } from "#lib/parse.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Attached, Built, Kind } from "../kind.ts";
import { withoutIpam } from "../parent.ts";
import { segmentRoutes, segmentSide } from "../segment.ts";

export interface TapSpec {
  /** Who may open it besides root: user and group ids. */
  readonly owner?: number;
  readonly group?: number;
  readonly multiQueue: boolean;
  /** A bridge in the pod that it becomes a port of. */
  readonly bridge?: string;
  readonly mac?: Mac;
  readonly addressless: boolean;
}

export const tap: Kind<TapSpec> = {
  parse,
  addressless: (spec) => spec.addressless,
  parent: ({ bridge }) =>
    bridge === undefined ? undefined : { field: "bridge", at: "pod", name: bridge, mayBeDown: true },
  mac: (spec) => spec.mac,
  desired(spec, attached): Built {
    const { addresses, ifname } = attached;
    const routes = segmentRoutes(attached.routes ?? [], addresses);
    return {
      facts: [link(spec, attached), ...segmentSide(ifname, addresses, routes)],
      shared: [],
      ips: addresses,
      routes,
      hostInterfaces: [],
    };
  },
};

const link = ({ owner, group, multiQueue, bridge }: TapSpec, { ifname, mtu, mac }: Attached): Fact => ({
  type: "link",
  at: "pod",
  name: ifname,
  kind: "tap",
  up: true,
  mtu,
  mac,
  tap: {
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    ...(multiQueue ? { multiQueue } : {}),
  },
  ...(bridge === undefined ? {} : { master: bridge }),
});

/** linux/types.h: uid_t and gid_t have 32 bits, the last of which means nobody. */
const id = (found: Found): number => integer(found, { min: 0, max: 0xffff_fffe });

/** @throws SelvedgeError config-invalid, unsupported-field */
function parse(config: Found): TapSpec {
  const at = fields(config);
  refuseSelinux(filled(at("selinuxContext")));
  const owner = optional(at("owner"), id);
  const group = optional(at("group"), id);
  const bridge = optional(filled(at("bridge")), linkName);
  const mac = optional(filled(at("mac")), (found) => readMac(found.value, found.path));
  return {
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    multiQueue: flag(at("multiQueue"), { or: false }),
    ...(bridge === undefined ? {} : { bridge }),
    ...(mac === undefined ? {} : { mac }),
    addressless: withoutIpam(config),
  };
}

/** The label of a tap is that of the process that makes it, and the daemon makes those of all pods. */
function refuseSelinux(found: Found): void {
  if (absent(found)) return;
  throw new SelvedgeError(
    { kind: "unsupported-field", field: found.path },
    `${found.path}: ${JSON.stringify(found.value)} is not supported: the kernel labels a tap like the process that makes it`,
    { hint: "Run selvedged in a context from which the machine's process may open it." },
  );
}
