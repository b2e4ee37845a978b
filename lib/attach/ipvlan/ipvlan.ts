/** `ipvlan`: pods on one of the node's links, told apart by their IP addresses; all have the MAC of that link. */
import { SelvedgeError } from "#lib/errors.ts";
import { type Found, fields, filled, flag, oneOf, refuse } from "#lib/parse.ts";
import type { Fact, IpvlanMode } from "#lib/state/fact.ts";
import type { Attached, Built, Carrier, Kind, Parent } from "../kind.ts";
import { carrierOf, parseParent, refuseLargeMtu } from "../parent.ts";
import { segmentRoutes, segmentSide } from "../segment.ts";
import { shim } from "../shim.ts";

const MODES = ["l2", "l3", "l3s"] as const satisfies readonly IpvlanMode[];

export interface IpvlanSpec {
  readonly parent: Parent;
  readonly mode: IpvlanMode;
  /** The node reaches the pod by an ipvlan of its own. */
  readonly hostShim: boolean;
}

export const ipvlan: Kind<IpvlanSpec> = {
  parse,
  parent: (spec) => spec.parent,
  mac: (_spec, carrier) => carrier?.mac,
  desired(spec, attached): Built {
    const carrier = carrierOf(attached);
    refuseLargeMtu(attached, carrier);
    refuseOwnMac(attached, carrier);
    const { addresses, ifname } = attached;
    const routes = segmentRoutes(attached.routes ?? [], addresses);
    const neighbours = spec.mode === "l2";
    const beside = { kind: "ipvlan", mode: spec.mode, neighbours } as const;
    const node = shim(spec.hostShim ? beside : undefined, attached, carrier);
    return {
      facts: [link(spec, attached), ...segmentSide(ifname, addresses, routes), ...node.own],
      shared: node.shared,
      ips: addresses,
      routes,
      // Not the shim: plugins that follow would take it for the pod's own end on the host.
      hostInterfaces: [],
      // In l3 and l3s nobody on the wire is asked for a neighbour, so nobody could answer.
      underlay: neighbours,
    };
  },
};

/** The MAC is the parent's, and the kernel refuses to set it: not managed. */
const link = (spec: IpvlanSpec, attached: Attached): Fact => ({
  type: "link",
  at: "pod",
  name: attached.ifname,
  kind: "ipvlan",
  up: true,
  mtu: attached.mtu,
  parent: { at: spec.parent.at, name: carrierOf(attached).name },
  mode: spec.mode,
});

/** @throws SelvedgeError config-invalid */
function refuseOwnMac({ mac }: Attached, carrier: Carrier): void {
  if (mac !== carrier.mac)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "mac" },
      `mac: "${mac}" is not possible with ipvlan, where every pod has the MAC of ${carrier.name}, ${carrier.mac}`,
      { hint: "A pod with a MAC of its own takes macvlan." },
    );
}

/** @throws SelvedgeError config-invalid */
function parse(config: Found): IpvlanSpec {
  const at = fields(config);
  const parent = parseParent(config);
  const mode = oneOf(filled(at("mode")), MODES, { or: "l2" });
  const hostShim = flag(at("hostShim"), { or: parent.at === "host" });
  if (hostShim && parent.at === "pod") refuse(at("hostShim"), "possible together with linkInContainer");
  return { parent, mode, hostShim };
}
