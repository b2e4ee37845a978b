/** What all attachments of one bridge want together. */
import { lengthOf, type Prefix, withLength } from "#lib/address.ts";
import type { Fact, PortVlanFact } from "#lib/state/fact.ts";
import { familiesOf } from "../families.ts";
import type { PodAddress } from "../kind.ts";
import { localnetElement } from "../localnet.ts";
import { bridgeAlias, bridgeMac, gatewayAlias, gatewayPortName } from "../names.ts";
import type { BridgeSpec } from "./spec.ts";

/**
 * The bridge, its addresses, and what translated traffic on it needs. All of it follows from the configuration alone,
 * whether or not an attachment publishes a port, so that attachments never disagree. The MTU is left to the kernel,
 * which takes the smallest of the ports'.
 */
export const bridgeSide = (spec: BridgeSpec, addresses: readonly PodAddress[], mtu: number): Fact[] => [
  {
    type: "link",
    at: "host",
    name: spec.bridge,
    kind: "bridge",
    up: true,
    mac: bridgeMac(spec.bridge),
    alias: bridgeAlias(spec.bridge),
    ...(spec.promiscuous ? { promiscuous: true } : {}),
    noIpv6LinkLocal: true,
    ...(spec.vlan === undefined ? {} : { vlanFiltering: true }),
    ...(spec.isGateway && spec.vlan === undefined ? { routeLocalnet: true } : {}),
  },
  ...(spec.isGateway && spec.vlan !== undefined ? gatewayPair(spec, spec.vlan, mtu) : []),
  ...(spec.isGateway ? gatewaySide(gatewayLink(spec), addresses) : []),
];

/** Where the node has its address on the segment: the bridge itself, or its own port in the VLAN. */
export const gatewayLink = ({ bridge, vlan }: Pick<BridgeSpec, "bridge" | "vlan">): string =>
  vlan === undefined ? bridge : `${bridge}.${vlan}`;

/**
 * The node is plugged into one VLAN as a pod is, by a pair of links, as in the reference plugin: that needs no 802.1Q
 * link, which not every kernel has.
 */
function gatewayPair(spec: BridgeSpec, vlan: number, mtu: number): Fact[] {
  const near = gatewayLink(spec);
  const port = gatewayPortName(spec.bridge, vlan);
  const alias = gatewayAlias(spec.bridge, vlan);
  const common = { type: "link", at: "host", kind: "veth", up: true, mtu, alias, noIpv6LinkLocal: true } as const;
  return [
    { ...common, name: near, mac: bridgeMac(near), peer: { at: "host", name: port }, routeLocalnet: true },
    { ...common, name: port, peer: { at: "host", name: near }, master: spec.bridge },
    ...portVlans({ ...spec, trunk: [] }, port),
  ];
}

/** The VLANs of a port; the kernel takes every other from it. */
export function portVlans({ vlan, trunk, preserveDefaultVlan }: BridgeSpec, link: string): PortVlanFact[] {
  if (vlan === undefined) return [];
  const on = (vid: number, flags: Pick<PortVlanFact, "pvid" | "untagged">): PortVlanFact => ({
    type: "port-vlan",
    at: "host",
    link,
    vid,
    ...flags,
  });
  const keepsDefault = preserveDefaultVlan && vlan !== DEFAULT_VLAN;
  return [
    on(vlan, { pvid: true, untagged: true }),
    ...(keepsDefault ? [on(DEFAULT_VLAN, { pvid: false, untagged: true })] : []),
    ...trunk
      .filter((vid) => !keepsDefault || vid !== DEFAULT_VLAN)
      .map((vid) => on(vid, { pvid: false, untagged: false })),
  ];
}

/** IFLA_BR_VLAN_DEFAULT_PVID of a new bridge (net/bridge/br_vlan.c, br_vlan_init). */
const DEFAULT_VLAN = 1;

/**
 * The bridge's own link-local address: it has to ask for a pod's MAC on behalf of others (RFC 4861 section 7.2.2), and
 * one that the kernel made would be tentative for a second or two.
 */
const LINK_LOCAL = "fe80::1/64" as Prefix;

function gatewaySide(link: string, addresses: readonly PodAddress[]): Fact[] {
  const asking = familiesOf(addresses).includes(6) ? [LINK_LOCAL] : [];
  const held = new Set([
    ...asking,
    ...addresses.flatMap(({ address, gateway }) =>
      gateway === undefined ? [] : [withLength(gateway, lengthOf(address))],
    ),
  ]);
  return [...[...held].map((address): Fact => ({ type: "address", at: "host", link, address })), localnetElement(link)];
}
