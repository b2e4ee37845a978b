/** Chains of nftables that tenants need besides those of every host: on the node, and in each router. */
import { type Address, type Family, family, type Prefix } from "#lib/address.ts";
import type { Chain } from "./chain.ts";
import { disjoint } from "./disjoint.ts";
import { type PeerSide, peerLinkName } from "./peering.ts";
import { UPLINK, type Uplinks } from "./uplink.ts";

/**
 * The node lets nothing new in by an uplink but what it translated itself (host ports); what it sends on its own account
 * (probes) does not pass here. So neither another tenant nor a pod of the node's own networks reaches a tenant's pod.
 * A router's address means nothing beyond the node: what leaves carries the node's.
 * @param leaving rules that come before all others where packets leave
 */
export const uplinkChains = ({ transferRanges, probeRanges }: Uplinks, leaving: readonly string[] = []): Chain[] => [
  {
    name: "to_tenant",
    rules: ["ct direction reply return", "ct state related return", "ct status dnat return", "counter drop"],
  },
  {
    name: "tenants",
    hook: "type filter hook forward priority -10",
    rules: ["oifname @uplinks jump to_tenant"],
  },
  {
    name: "transit",
    hook: "type nat hook postrouting priority 90",
    rules: [
      ...leaving,
      ...([4, 6] as const).flatMap((f) => {
        const from = text(f, transferRanges);
        const near = text(f, [...transferRanges, ...probeRanges]);
        return from === undefined ? [] : [`${IP[f]} saddr ${from} ${IP[f]} daddr != ${near} masquerade`];
      }),
    ],
  },
];

/** An address of the tenant's own that leads to a server on the node's network. */
export interface Service {
  readonly address: Address;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly port: number;
  readonly to: { readonly address: Address; readonly port: number };
}

export interface RouterRules {
  /** The tenant's pods reach what the node reaches, under the node's address. Without it: shared services only. */
  readonly egress: boolean;
  readonly services: readonly Service[];
  readonly peers: readonly PeerSide[];
}

/** From the node come probes only; to the node goes what the tenant may; a peer reaches pods and goes no further. */
export const routerChains = ({ egress, services, peers }: RouterRules): Chain[] => [
  {
    name: "router_in",
    hook: "type nat hook prerouting priority -110",
    rules: [
      `iifname "${UPLINK}" dnat ip to ip daddr map @probe4`,
      `iifname "${UPLINK}" dnat ip6 to ip6 daddr map @probe6`,
      ...([4, 6] as const).flatMap((f) => serviceRule(f, services)),
    ],
  },
  {
    name: "router_out",
    hook: "type nat hook postrouting priority 90",
    rules: [egress ? `oifname "${UPLINK}" masquerade` : `oifname "${UPLINK}" ct status dnat masquerade`],
  },
  {
    name: "router_forward",
    hook: "type filter hook forward priority -10",
    rules: [
      "ct direction reply return",
      "ct state related return",
      ...peers.flatMap(peerRules),
      ...(peers.length === 0 ? [] : [`iifname ${names(peers)} oifname { "${UPLINK}", ${quoted(peers)} } counter drop`]),
      `iifname "${UPLINK}" ct status dnat return`,
      `iifname "${UPLINK}" counter drop`,
      ...(egress ? [] : [`oifname "${UPLINK}" ct status dnat return`, `oifname "${UPLINK}" counter drop`]),
    ],
  },
];

const IP = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

function serviceRule(f: Family, services: readonly Service[]): string[] {
  const of = services.filter(({ address }) => family(address) === f);
  const entries = of.map((s) => `${s.address} . ${s.protocol} . ${s.port} : ${s.to.address} . ${s.to.port}`);
  if (entries.length === 0) return [];
  const map = `{ ${entries.toSorted().join(", ")} }`;
  return [`iifname != "${UPLINK}" dnat ${IP[f]} to ${IP[f]} daddr . meta l4proto . th dport map ${map}`];
}

/** A peer sends from its own networks and from nowhere else. */
const peerRules = ({ tenant, networks }: PeerSide): string[] =>
  ([4, 6] as const).map((f) => {
    const allowed = text(f, networks);
    const link = `iifname "${peerLinkName(tenant)}" meta nfproto ${f === 4 ? "ipv4" : "ipv6"}`;
    return allowed === undefined ? `${link} counter drop` : `${link} ${IP[f]} saddr != ${allowed} counter drop`;
  });

const quoted = (peers: readonly PeerSide[]): string =>
  peers.map(({ tenant }) => `"${peerLinkName(tenant)}"`).join(", ");
const names = (peers: readonly PeerSide[]): string => `{ ${quoted(peers)} }`;

/** nft has no word for an empty list. */
function text(f: Family, prefixes: readonly Prefix[]): string | undefined {
  const of = disjoint(prefixes.filter((p) => family(p) === f));
  return of.length === 0 ? undefined : `{ ${of.join(", ")} }`;
}
