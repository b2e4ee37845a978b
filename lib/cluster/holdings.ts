/**
 * Which addresses are reached by which node: an index over blocks and fixed addresses that is kept in step one record
 * at a time, whatever their number.
 */
import { type Address, hostPrefix, type Prefix } from "#lib/address.ts";
import type { BlockRecord, FixedRecord } from "./records.ts";

/** What one record says of one node. */
interface Holding {
  readonly prefix: Prefix;
  readonly pool: string;
  readonly uid: string;
}

export interface Holdings {
  /** @returns names of the nodes for which something has changed */
  putBlock(key: string, block: BlockRecord): ReadonlySet<string>;
  putFixed(key: string, fixed: FixedRecord): ReadonlySet<string>;
  remove(key: string): ReadonlySet<string>;
  /** Destinations of a node, by pool and prefix in a stable order. What was given to another node of that name is not among them. */
  of(node: string, uid: string): readonly Destination[];
}

export interface Destination {
  readonly pool: string;
  readonly prefix: Prefix;
}

export function holdings(): Holdings {
  /** By node and key. */
  const byNode = new Map<string, Map<string, readonly Holding[]>>();
  /** Nodes that a key says something of. */
  const named = new Map<string, ReadonlySet<string>>();

  const replace = (key: string, holders: ReadonlyMap<string, readonly Holding[]>): ReadonlySet<string> => {
    const touched = new Set<string>();
    for (const node of new Set([...(named.get(key) ?? []), ...holders.keys()])) {
      const before = byNode.get(node)?.get(key) ?? [];
      const after = holders.get(node) ?? [];
      if (JSON.stringify(before) === JSON.stringify(after)) continue;
      touched.add(node);
      const of = byNode.get(node) ?? new Map<string, readonly Holding[]>();
      if (after.length > 0) of.set(key, after);
      else of.delete(key);
      if (of.size > 0) byNode.set(node, of);
      else byNode.delete(node);
    }
    if (holders.size > 0) named.set(key, new Set(holders.keys()));
    else named.delete(key);
    return touched;
  };

  return {
    putBlock(key, { pool, prefix, node, uid, lent }) {
      const holders = new Map<string, Holding[]>([[node, [{ prefix, pool, uid }]]]);
      for (const [address, borrower] of Object.entries(lent)) {
        const held = holders.get(borrower.node) ?? [];
        holders.set(borrower.node, [...held, { prefix: hostPrefix(address as Address), pool, uid: borrower.uid }]);
      }
      return replace(key, holders);
    },
    putFixed: (key, { pool, address, node, uid }) =>
      replace(
        key,
        node === undefined || uid === undefined
          ? new Map()
          : new Map([[node, [{ prefix: hostPrefix(address), pool, uid }]]]),
      ),
    remove: (key) => replace(key, new Map()),
    of: (node, uid) =>
      [...(byNode.get(node)?.values() ?? [])]
        .flat()
        .filter((holding) => holding.uid === uid)
        .map(({ pool, prefix }) => ({ pool, prefix }))
        .sort((a, b) => (a.pool === b.pool ? compare(a.prefix, b.prefix) : compare(a.pool, b.pool))),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
