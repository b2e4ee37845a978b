/** How a pool that nodes share is cut into blocks: which there are, in order, without ever listing those of a /64. */
import {
  type Address,
  bitsOf,
  type Family,
  family,
  fromNumber,
  lengthOf,
  networkOf,
  type Prefix,
  withLength,
} from "#lib/address.ts";
import type { Pool } from "./pool.ts";
import { type Span, spans } from "./spans.ts";

export interface Cut {
  /** Blocks that hold an address that may be handed out. */
  readonly count: bigint;
  /** @param n below `count` */
  at(n: bigint): Prefix;
}

/** Prefix length of a pool's blocks: as configured, but no block is larger than the smallest of its subnets. */
export function blockLength({ sets, blocks }: Pool, of: Family): number {
  const lengths = sets.flat().flatMap(({ subnet }) => (family(subnet) === of ? [lengthOf(subnet)] : []));
  return Math.max(blocks?.[of] ?? 0, ...lengths);
}

/** The block that an address of the pool lies in, whoever has it. */
export function blockOf(pool: Pool, address: Address): Prefix {
  return networkOf(withLength(address, blockLength(pool, family(address))));
}

/** @param usable what may be handed out, as numbers of the family */
export function cut(usable: readonly Span[], of: Family, length: number): Cut {
  const hostBits = BigInt(bitsOf(of) - length);
  const numbers = spans(usable.map(({ first, last }) => ({ first: first >> hostBits, last: last >> hostBits })));
  return {
    count: numbers.size,
    at(n) {
      let left = n;
      for (const { first, last } of numbers.list()) {
        const here = last - first + 1n;
        if (left < here) return withLength(fromNumber((first + left) << hostBits, of), length);
        left -= here;
      }
      throw new RangeError(`block ${n} of ${numbers.size}`);
    },
  };
}
