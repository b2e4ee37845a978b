/** What the ways need to know of both ends, and the routes that all of them have in common. */
import { type Address, type Family, family, type Mac, type Prefix } from "#lib/address.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import type { RouteFact } from "#lib/state/fact.ts";

/** This node, and what is the same on all nodes. */
export interface Here {
  /** On the networks between the nodes, the preferred of each family first. */
  readonly addresses: readonly Address[];
  /** Among pods, at most one of each family. */
  readonly tunnelAddresses: readonly Address[];
  readonly tunnelMac: Mac;
  readonly vxlan: { readonly vni: number; readonly port: number };
  readonly gre: { readonly key: number };
  /** Base64, as `wg` shows it; the key that is in use. */
  readonly wireguard?: { readonly publicKey: string; readonly port: number };
  /** Everything between the nodes travels in WireGuard. */
  readonly encrypt: boolean;
  /** What comes from other nodes for established connections goes past the chains. */
  readonly flowOffload: boolean;
}

/** Another node. */
export interface There {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly tunnelAddresses: readonly Address[];
  readonly tunnelMac: Mac;
  /** `active` is the key that it uses; the others are accepted. */
  readonly wireguard?: {
    readonly active: string;
    readonly others: readonly string[];
    readonly port: number;
  };
  /** Networks and addresses of pods that are reached by it. */
  readonly prefixes: readonly Prefix[];
  /** By family of pods' addresses; absent where there is none. */
  readonly ways: Readonly<Partial<Record<Family, ChosenWay>>>;
  /** By the same; of what comes from outside of the cluster, where that takes another way. */
  readonly answers: Readonly<Partial<Record<Family, ChosenWay>>>;
}

export const addressOfFamily = (addresses: readonly Address[], of: Family): Address | undefined =>
  addresses.find((address) => family(address) === of);

/** What is reached by one way, with the way. */
export interface Stretch {
  readonly way: ChosenWay;
  readonly prefixes: readonly Prefix[];
}

/** Prefixes by the way of their family; those of a family without a way are left out. */
export const stretches = ({ prefixes, ways }: Pick<There, "prefixes" | "ways">): Stretch[] =>
  ([4, 6] as const).flatMap((pods) => {
    const way = ways[pods];
    const of = prefixes.filter((prefix) => family(prefix) === pods);
    return way === undefined || of.length === 0 ? [] : [{ way, prefixes: of }];
  });

/** Values that the metric may have; the kernel's table of next hops is about as large. */
const METRICS = 4_096;

/**
 * The gateway of an IPv4 route that thousands of others by the same link do not share. The kernel finds what routes share by
 * device, source and metric, not by gateway (net/ipv4/fib_semantics.c, fib_info_hashfn_1, v6.12): with one metric each
 * route more would be compared with all before it, 0.9 ms at 5,000. Between routes of different destinations a metric means nothing.
 */
export function by(via: Address, to: Prefix): Pick<RouteFact, "via" | "metric"> {
  if (family(to) === 6) return { via };
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (const letter of to) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return { via, metric: 1 + ((hash >>> 0) % METRICS) };
}

/** A route by a tunnel. What the node itself sends carries its address among pods, so that the answer takes the tunnel too. */
export function tunnelRoute(here: Here, to: Prefix, link: string, mtu: number): RouteFact {
  const source = addressOfFamily(here.tunnelAddresses, family(to));
  return { type: "route", at: "host", to, link, mtu, ...(source === undefined ? {} : { source }) };
}
