/**
 * Who is where on the segments that stretch over nodes: an index over endpoints that is kept in step one record at a
 * time, whatever their number. Where two records speak of one address (a pod has moved, and its last node has not said
 * so yet) the newer counts.
 */
import type { EndpointRecord } from "./records.ts";

/** A MAC address or an IP address on a network. */
export interface Claim {
  readonly network: string;
  readonly address: string;
}

export interface Endpoints {
  get(key: string): EndpointRecord | undefined;
  /** Keys of the records that a node has written. */
  ofNode(node: string): Iterable<string>;
  /** Names of the nodes that have written any. */
  nodes(): Iterable<string>;
  /** Keys of the records that speak of it. */
  of(claim: Claim): Iterable<string>;
  /** Key of the one of them that counts, among those of which `counts` holds. */
  holder(claim: Claim, counts: (record: EndpointRecord) => boolean): string | undefined;
  keys(): Iterable<string>;
}

export interface EndpointIndex extends Endpoints {
  /** @returns keys of all records that what is known of somebody may be different for now, this one among them */
  put(key: string, record: EndpointRecord): ReadonlySet<string>;
  remove(key: string): ReadonlySet<string>;
}

/** Everything that an endpoint is reached by. */
export const claimsOf = ({ network, mac, addresses }: Pick<EndpointRecord, "network" | "mac" | "addresses">): Claim[] =>
  [mac, ...addresses].map((address) => ({ network, address }));

export function endpoints(): EndpointIndex {
  const records = new Map<string, EndpointRecord>();
  const byNode = new Map<string, Set<string>>();
  const byClaim = new Map<string, Set<string>>();
  const claimKey = ({ network, address }: Claim): string => `${network} ${address}`;

  const note = <K>(map: Map<K, Set<string>>, at: K, key: string): void => {
    const keys = map.get(at);
    if (keys === undefined) map.set(at, new Set([key]));
    else keys.add(key);
  };
  const forget = <K>(map: Map<K, Set<string>>, at: K, key: string): void => {
    const keys = map.get(at);
    keys?.delete(key);
    if (keys?.size === 0) map.delete(at);
  };

  const remove = (key: string): Set<string> => {
    const touched = new Set<string>([key]);
    const record = records.get(key);
    if (record === undefined) return touched;
    records.delete(key);
    forget(byNode, record.node, key);
    for (const claim of claimsOf(record).map(claimKey)) {
      forget(byClaim, claim, key);
      for (const other of byClaim.get(claim) ?? []) touched.add(other);
    }
    return touched;
  };

  return {
    get: (key) => records.get(key),
    ofNode: (node) => byNode.get(node) ?? [],
    nodes: () => byNode.keys(),
    of: (claim) => byClaim.get(claimKey(claim)) ?? [],
    keys: () => records.keys(),
    holder(claim, counts) {
      let best: { readonly key: string; readonly sinceMs: number } | undefined;
      for (const key of byClaim.get(claimKey(claim)) ?? []) {
        const record = records.get(key);
        if (record === undefined || !counts(record)) continue;
        const { sinceMs } = record;
        if (best === undefined || sinceMs > best.sinceMs || (sinceMs === best.sinceMs && key > best.key))
          best = { key, sinceMs };
      }
      return best?.key;
    },
    put(key, record) {
      const touched = remove(key);
      records.set(key, record);
      note(byNode, record.node, key);
      for (const claim of claimsOf(record).map(claimKey)) {
        for (const other of byClaim.get(claim) ?? []) touched.add(other);
        note(byClaim, claim, key);
      }
      return touched;
    },
    remove,
  };
}
