/**
 * Address space cut along the prefixes that policies name, so that all addresses of a piece are in the same blocks. Two
 * prefixes lie within one another or apart, so there are at most twice as many pieces as prefixes.
 */
import { type Address, type Family, family, fromNumber, type Prefix, rangeOf, toNumber } from "#lib/address.ts";
import type { Block } from "./objects.ts";

/** One text for a block, however it is written. */
export const blockKey = ({ cidr, except }: Block): string =>
  [network(cidr), ...[...new Set(except.map(network))].sort().map((each) => `!${each}`)].join(" ");

const network = (prefix: Prefix): string =>
  `${fromNumber(rangeOf(prefix).first, family(prefix))}${prefix.slice(prefix.indexOf("/"))}`;

/** Both ends belong to the piece. */
export interface Piece {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  /** Keys of the blocks that its addresses are in, sorted; at least one. */
  readonly blocks: readonly string[];
}

/** What a block's beginning or end, or that of one of its exceptions, does to the depth of the address in it. */
interface Turn {
  readonly at: bigint;
  readonly key: string;
  readonly cidr: number;
  readonly except: number;
}

/** Pieces of one family in ascending order; what is in no block is left out. */
export function pieces(blocks: ReadonlyMap<string, Block>, of: Family): Piece[] {
  const turns = [...blocks]
    .filter(([, { cidr }]) => family(cidr) === of)
    .flatMap(([key, { cidr, except }]) => [
      ...turnsOf(key, cidr, { cidr: 1, except: 0 }),
      ...except.flatMap((each) => turnsOf(key, each, { cidr: 0, except: 1 })),
    ])
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const depth = new Map<string, { cidr: number; except: number }>();
  const found: Piece[] = [];
  for (const [i, turn] of turns.entries()) {
    const was = depth.get(turn.key) ?? { cidr: 0, except: 0 };
    const now = { cidr: was.cidr + turn.cidr, except: was.except + turn.except };
    if (now.cidr === 0 && now.except === 0) depth.delete(turn.key);
    else depth.set(turn.key, now);
    const next = turns[i + 1]?.at;
    if (next === undefined || next === turn.at) continue;
    const within = [...depth].filter(([, d]) => d.cidr > 0 && d.except === 0).map(([key]) => key);
    if (within.length > 0) found.push({ family: of, first: turn.at, last: next - 1n, blocks: within.sort() });
  }
  return joined(found);
}

function turnsOf(key: string, prefix: Prefix, { cidr, except }: { cidr: number; except: number }): Turn[] {
  const { first, last } = rangeOf(prefix);
  return [
    { at: first, key, cidr, except },
    { at: last + 1n, key, cidr: -cidr, except: -except },
  ];
}

/** Neighbours in the same blocks are one piece. */
function joined(pieces: readonly Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces) {
    const before = found.at(-1);
    if (before?.last === piece.first - 1n && before.blocks.join() === piece.blocks.join())
      found[found.length - 1] = { ...before, last: piece.last };
    else found.push(piece);
  }
  return found;
}

/** The blocks that an address is in. `sorted`: pieces of the address's family. */
export function blocksOf(sorted: readonly Piece[], address: Address): readonly string[] {
  if (sorted.length === 0) return [];
  const n = toNumber(address);
  let [low, high] = [0, sorted.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const piece = sorted[middle];
    if (piece === undefined) break;
    if (n < piece.first) high = middle - 1;
    else if (n > piece.last) low = middle + 1;
    else return piece.blocks;
  }
  return [];
}
