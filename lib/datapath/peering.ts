/**
 * Two tenants that both ask for each other: a pair of links between their routers, and by it the routes to each other's
 * pools, without translation. Nothing is passed on: who peers with a tenant reaches that tenant's pods only.
 */
import { type Address, type Family, family, type Mac, type Prefix } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import { shortOf } from "./uplink.ts";

/** The other router, on either side: these exist as permanent neighbours only. */
const OTHER = { 4: "169.254.1.1" as Address, 6: "fe80::1" as Address } as const satisfies Record<Family, Address>;
const MAC_OF = { host: "ee:ee:ee:ee:ee:ec" as Mac, pod: "ee:ee:ee:ee:ee:eb" as Mac } as const;

/** The link to a peer, in the router of the other, 13 bytes. */
export const peerLinkName = (peer: string): string => `sp${shortOf("tenant", peer)}`;

export interface PeerSide {
  readonly tenant: string;
  /** Networks of the tenant's pods. */
  readonly networks: readonly Prefix[];
}

/** `host` is the first one's router, `pod` the second one's. */
export function peeringFacts(first: PeerSide, second: PeerSide, mtu: number): Fact[] {
  return [...sideFacts("host", first, second, mtu), ...sideFacts("pod", second, first, mtu)];
}

function sideFacts(at: Place, own: PeerSide, other: PeerSide, mtu: number): Fact[] {
  const far = at === "host" ? "pod" : "host";
  const link = peerLinkName(other.tenant);
  const families = [...new Set(other.networks.map(family))];
  return [
    {
      type: "link",
      at,
      name: link,
      kind: "veth",
      up: true,
      mtu,
      mac: MAC_OF[at],
      ...(at === "host" ? { alias: `selvedge peering ${own.tenant} ${other.tenant}` } : {}),
      peer: { at: far, name: peerLinkName(own.tenant) },
      noIpv6LinkLocal: true,
    },
    ...families.map((f): Fact => ({ type: "neighbour", at, link, address: OTHER[f], mac: MAC_OF[far] })),
    ...other.networks.map((to): Fact => {
      const via = OTHER[family(to)];
      return { type: "route", at, to, link, via, ...(family(to) === 4 ? { onlink: true } : {}) };
    }),
  ];
}
