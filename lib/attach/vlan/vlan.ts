/** `vlan`: a tagged link on one of the node's links (802.1Q), or a tag within a tag (802.1ad, QinQ). */
import { type Found, fields, filled, integer, oneOf, optional, refuse } from "#lib/parse.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { VlanProtocol } from "#lib/state/vlan-protocol.ts";
import type { Attached, Built, Carrier, Kind, Parent } from "../kind.ts";
import { outerVlanAlias, outerVlanName } from "../names.ts";
import { carrierOf, parseParent, refuseLargeMtu } from "../parent.ts";
import { segmentRoutes, segmentSide } from "../segment.ts";

const PROTOCOLS = ["802.1Q", "802.1ad"] as const satisfies readonly VlanProtocol[];

export interface VlanSpec {
  readonly parent: Parent;
  readonly id: number;
  readonly protocol: VlanProtocol;
  /** The service provider's tag around it, always 802.1ad; the node holds its link. */
  readonly outerId?: number;
}

export const vlan: Kind<VlanSpec> = {
  parse,
  parent: (spec) => spec.parent,
  // As the kernel and the reference plugin have it.
  mac: (_spec, carrier) => carrier?.mac,
  desired(spec, attached): Built {
    const carrier = carrierOf(attached);
    refuseLargeMtu(attached, carrier);
    const { addresses, ifname } = attached;
    const routes = segmentRoutes(attached.routes ?? [], addresses);
    const outer = spec.outerId === undefined ? undefined : outerLink(carrier, spec.outerId);
    return {
      facts: [link(spec, attached, outer?.name ?? carrier.name), ...segmentSide(ifname, addresses, routes)],
      shared: outer === undefined ? [] : [outer],
      ips: addresses,
      routes,
      hostInterfaces: [],
      underlay: true,
    };
  },
};

const link = ({ parent, id, protocol }: VlanSpec, { ifname, mtu, mac }: Attached, on: string): Fact => ({
  type: "link",
  at: "pod",
  name: ifname,
  kind: "vlan",
  up: true,
  mtu,
  mac,
  parent: { at: parent.at, name: on },
  vlan: { id, protocol },
});

const outerLink = ({ name }: Carrier, id: number) =>
  ({
    type: "link",
    at: "host",
    name: outerVlanName(name, id),
    kind: "vlan",
    up: true,
    alias: outerVlanAlias(name, id),
    parent: { at: "host", name },
    vlan: { id, protocol: "802.1ad" },
    noIpv6LinkLocal: true,
  }) as const;

/** linux/if_vlan.h, VLAN_N_VID: 0 is a tag without a VLAN and 4095 is reserved (IEEE 802.1Q, table 9-2). */
const vlanId = (found: Found): number => integer(found, { min: 1, max: 4_094 });

/** @throws SelvedgeError config-invalid */
function parse(config: Found): VlanSpec {
  const at = fields(config);
  const parent = parseParent(config);
  const outerId = optional(at("outerVlanId"), vlanId);
  if (outerId !== undefined && parent.at === "pod")
    refuse(at("outerVlanId"), "possible together with linkInContainer: the outer VLAN is a link of the node");
  return {
    parent,
    id: vlanId(at("vlanId")),
    protocol: oneOf(filled(at("vlanProtocol")), PROTOCOLS, { or: "802.1Q" }),
    ...(outerId === undefined ? {} : { outerId }),
  };
}
