/**
 * What the shared store says of addresses, kept in step change by change: a picture to decide by. It may be behind, so
 * whoever acts on it reads the record again and changes it by compare-and-swap.
 */
import { type Address, type Family, family, type Prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { readBlock, readFixed, readJson, readLiveness, readNode, readReservation, readWant } from "./read-record.ts";
import {
  type BlockRecord,
  blockKey,
  type FixedRecord,
  fixedKey,
  KEYS,
  type NodeId,
  type ReservationRecord,
  reservationKey,
  type WantRecord,
} from "./records.ts";
import type { ViewChange } from "./view.ts";

export interface Ledger {
  take(change: ViewChange): {
    /** Keys of reservations that are other than before. */
    readonly reservations: ReadonlySet<string>;
    /** Records that could not be read; what was known under their keys stays. */
    readonly refused: readonly { readonly key: string; readonly message: string }[];
  };
  /** Pools have come or gone, and with them blocks that addresses lie in. */
  regroup(): void;
  block(pool: string, prefix: Prefix): BlockRecord | undefined;
  /** Blocks that somebody has, by prefix. */
  blocks(pool: string, of: Family): ReadonlyMap<Prefix, BlockRecord>;
  /** Blocks that a node owns or has borrowed of. */
  blocksOf(node: NodeId): readonly BlockRecord[];
  fixed(pool: string, address: Address): FixedRecord | undefined;
  allFixed(): Iterable<FixedRecord>;
  /** Those that lie in a block. */
  fixedIn(pool: string, block: Prefix): Iterable<FixedRecord>;
  reservation(key: string): ReservationRecord | undefined;
  isReserved(pool: string, name: string): boolean;
  reservationKeys(): Iterable<string>;
  wants(): Iterable<WantRecord>;
  want(key: string): WantRecord | undefined;
  /** By name: uid of the node that has joined by it. */
  readonly joined: ReadonlyMap<string, string>;
  /** By name: uid of the node that is heard of by it. */
  readonly alive: ReadonlyMap<string, string>;
}

/** @param blockOf the block that an address lies in; undefined in pools that have none */
export function ledger(blockOf: (pool: string, address: Address) => Prefix | undefined = () => undefined): Ledger {
  const blocks = new Map<string, BlockRecord>();
  /** By pool and family. */
  const byPool = new Map<string, Map<Prefix, BlockRecord>>();
  /** By node: keys of the blocks that name it. */
  const byNode = new Map<string, Set<string>>();
  const fixed = new Map<string, FixedRecord>();
  /** By key of the block. */
  const fixedByBlock = new Map<string, Map<string, FixedRecord>>();
  const reservations = new Map<string, ReservationRecord>();
  const wants = new Map<string, WantRecord>();
  const joined = new Map<string, string>();
  const alive = new Map<string, string>();

  const poolOf = (pool: string, of: Family): Map<Prefix, BlockRecord> => {
    const known = byPool.get(`${pool} ${of}`) ?? new Map<Prefix, BlockRecord>();
    byPool.set(`${pool} ${of}`, known);
    return known;
  };
  const forgetBlock = (key: string): void => {
    const record = blocks.get(key);
    if (record === undefined) return;
    blocks.delete(key);
    poolOf(record.pool, family(record.prefix)).delete(record.prefix);
    for (const node of namedIn(record)) byNode.get(node)?.delete(key);
  };
  const putBlock = (key: string, record: BlockRecord): void => {
    forgetBlock(key);
    blocks.set(key, record);
    poolOf(record.pool, family(record.prefix)).set(record.prefix, record);
    for (const node of namedIn(record)) {
      const keys = byNode.get(node) ?? new Set<string>();
      byNode.set(node, keys.add(key));
    }
  };

  const forgetFixed = (key: string): void => {
    const record = fixed.get(key);
    if (record === undefined) return;
    fixed.delete(key);
    const block = blockOf(record.pool, record.address);
    if (block !== undefined) fixedByBlock.get(blockKey(record.pool, block))?.delete(key);
  };
  const putFixed = (key: string, record: FixedRecord): void => {
    forgetFixed(key);
    fixed.set(key, record);
    const block = blockOf(record.pool, record.address);
    if (block === undefined) return;
    const of = blockKey(record.pool, block);
    const known = fixedByBlock.get(of) ?? new Map<string, FixedRecord>();
    fixedByBlock.set(of, known.set(key, record));
  };

  const put = (key: string, value: string): void => {
    const found = () => readJson(key, value);
    if (key.startsWith(KEYS.blocks)) putBlock(key, readBlock(found()));
    else if (key.startsWith(KEYS.fixed)) putFixed(key, readFixed(found()));
    else if (key.startsWith(KEYS.reservations)) reservations.set(key, readReservation(found()));
    else if (key.startsWith(KEYS.wants)) wants.set(key, readWant(found()));
    else if (key.startsWith(KEYS.nodes)) joined.set(key.slice(KEYS.nodes.length), readNode(found()).uid);
    else if (key.startsWith(KEYS.alive)) alive.set(key.slice(KEYS.alive.length), readLiveness(found()).uid);
  };
  const remove = (key: string): void => {
    forgetBlock(key);
    forgetFixed(key);
    for (const kind of [reservations, wants]) kind.delete(key);
    if (key.startsWith(KEYS.nodes)) joined.delete(key.slice(KEYS.nodes.length));
    if (key.startsWith(KEYS.alive)) alive.delete(key.slice(KEYS.alive.length));
  };
  const keys = function* (): Generator<string> {
    for (const kind of [blocks, fixed, reservations, wants]) yield* kind.keys();
    for (const name of joined.keys()) yield `${KEYS.nodes}${name}`;
    for (const name of alive.keys()) yield `${KEYS.alive}${name}`;
  };

  return {
    take(change) {
      const touched = new Set<string>();
      const refused: { key: string; message: string }[] = [];
      const note = (key: string): void => void (key.startsWith(KEYS.reservations) && touched.add(key));
      const puts = "put" in change ? [change.put] : "all" in change ? change.all : [];
      const there = new Set(puts.map(({ key }) => key));
      const removes = "remove" in change ? [change.remove] : "all" in change ? [...keys()] : [];
      for (const key of removes) {
        if (there.has(key)) continue;
        remove(key);
        note(key);
      }
      for (const { key, value } of puts) {
        try {
          put(key, value);
          note(key);
        } catch (error) {
          if (!isFailure(error)) throw error;
          refused.push({ key, message: error.message });
        }
      }
      return { reservations: touched, refused };
    },
    regroup() {
      for (const [key, record] of [...fixed]) putFixed(key, record);
    },
    block: (pool, prefix) => blocks.get(blockKey(pool, prefix)),
    blocks: poolOf,
    blocksOf: ({ node, uid }) =>
      [...(byNode.get(node) ?? [])].flatMap((key) => {
        const record = blocks.get(key);
        return record !== undefined && names(record, uid) ? [record] : [];
      }),
    fixed: (pool, address) => fixed.get(fixedKey(pool, address)),
    allFixed: () => fixed.values(),
    fixedIn: (pool, block) => fixedByBlock.get(blockKey(pool, block))?.values() ?? [],
    reservation: (key) => reservations.get(key),
    isReserved: (pool, name) => reservations.has(reservationKey(pool, name)),
    reservationKeys: () => reservations.keys(),
    wants: () => wants.values(),
    want: (key) => wants.get(key),
    joined,
    alive,
  };
}

function namedIn({ node, lent }: BlockRecord): Set<string> {
  const names = new Set([node]);
  for (const borrower of Object.values(lent)) names.add(borrower.node);
  return names;
}

const names = ({ uid, lent }: BlockRecord, wanted: string): boolean =>
  uid === wanted || Object.values(lent).some((borrower) => borrower.uid === wanted);
