/** `macvlan`: a link with a MAC of its own on one of the node's links, as if the pod were plugged into the same switch. */
import { type Mac, mac as readMac } from "#lib/address.ts";
import { type Found, fields, filled, flag, integer, oneOf, optional, refuse } from "#lib/parse.ts";
import type { Fact, MacvlanMode } from "#lib/state/fact.ts";
import type { Attached, Built, Kind, Parent } from "../kind.ts";
import { carrierOf, parseParent, refuseLargeMtu, withoutIpam } from "../parent.ts";
import { segmentRoutes, segmentSide } from "../segment.ts";
import { shim } from "../shim.ts";

const MODES = ["bridge", "private", "vepa", "passthru"] as const satisfies readonly MacvlanMode[];

export interface MacvlanSpec {
  readonly parent: Parent;
  readonly mode: MacvlanMode;
  /** The node reaches the pod by a macvlan of its own. */
  readonly hostShim: boolean;
  /** IFLA_MACVLAN_BC_QUEUE_LEN: how many broadcast frames may wait. Absent: the kernel's 1,000. */
  readonly broadcastQueue?: number;
  readonly mac?: Mac;
  readonly addressless: boolean;
}

export const macvlan: Kind<MacvlanSpec> = {
  parse,
  addressless: (spec) => spec.addressless,
  parent: (spec) => spec.parent,
  mac: (spec) => spec.mac,
  desired(spec, attached): Built {
    const carrier = carrierOf(attached);
    refuseLargeMtu(attached, carrier);
    const { addresses, ifname } = attached;
    const routes = segmentRoutes(attached.routes ?? [], addresses);
    const beside = { kind: "macvlan", mode: "bridge", neighbours: true } as const;
    const node = shim(spec.hostShim ? beside : undefined, attached, carrier);
    return {
      facts: [link(spec, attached), ...segmentSide(ifname, addresses, routes), ...node.own],
      shared: node.shared,
      ips: addresses,
      routes,
      // Not the shim: plugins that follow would take it for the pod's own end on the host.
      hostInterfaces: [],
      underlay: true,
    };
  },
};

const link = (spec: MacvlanSpec, attached: Attached): Fact => ({
  type: "link",
  at: "pod",
  name: attached.ifname,
  kind: "macvlan",
  up: true,
  mtu: attached.mtu,
  mac: attached.mac,
  parent: { at: spec.parent.at, name: carrierOf(attached).name },
  mode: spec.mode,
  ...(spec.broadcastQueue === undefined ? {} : { broadcastQueue: spec.broadcastQueue }),
});

/** Only between links in bridge mode does the kernel itself carry frames. @throws SelvedgeError config-invalid */
function parse(config: Found): MacvlanSpec {
  const at = fields(config);
  const parent = parseParent(config);
  const mode = oneOf(filled(at("mode")), MODES, { or: "bridge" });
  const possible = mode === "bridge" && parent.at === "host";
  const hostShim = flag(at("hostShim"), { or: possible });
  if (hostShim && !possible)
    refuse(
      at("hostShim"),
      parent.at === "pod" ? "possible together with linkInContainer" : `possible in mode "${mode}", only in "bridge"`,
    );
  const broadcastQueue = optional(at("bcqueuelen"), (found) => integer(found, { min: 0, max: 0xffff_ffff }));
  const mac = optional(filled(at("mac")), (found) => readMac(found.value, found.path));
  return {
    parent,
    mode,
    hostShim,
    ...(broadcastQueue === undefined || broadcastQueue === 0 ? {} : { broadcastQueue }),
    ...(mac === undefined ? {} : { mac }),
    addressless: withoutIpam(config),
  };
}
