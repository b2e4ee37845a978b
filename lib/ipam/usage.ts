/** How full a pool is, for operators and for STATUS. */
import type { Book } from "./book.ts";

export interface PoolUsage {
  readonly name: string;
  /** `10.1.0.2-10.1.0.254` */
  readonly ranges: readonly string[];
  /** Addresses that may be handed out, of all sets. */
  readonly size: bigint;
  readonly used: number;
  readonly cooling: number;
  /** Kept for names that do not run now. */
  readonly reserved: number;
  /** Until every set has a free address; 0 when every set has one, absent when only a DEL could make room. */
  readonly nextFreeMs?: number;
}

/** `nowMs` is on the monotonic clock. */
export function usageOf(
  name: string,
  { shape, leases, released, reservations, supplies }: Book,
  nowMs: number,
): PoolUsage {
  const all = shape === undefined ? [] : supplies(shape);
  const waits = all.map((each) => each.count(nowMs).nextFreeMs);
  const nextFreeMs = waits.some((ms) => ms === undefined) ? undefined : Math.max(0, ...(waits as number[]));
  let reserved = 0;
  for (const { addresses } of reservations.all())
    for (const address of addresses) if (!leases.has(address)) reserved += 1;
  let cooling = 0;
  for (const [address, { untilMs }] of released)
    if (untilMs > nowMs && reservations.of(address) === undefined) cooling += 1;
  return {
    name,
    ranges: all.flatMap(({ ranges }) => ranges.map(({ first, last }) => `${first}-${last}`)),
    size: all.reduce((sum, each) => sum + each.size, 0n),
    used: leases.size,
    cooling,
    reserved,
    ...(nextFreeMs === undefined ? {} : { nextFreeMs: Math.ceil(nextFreeMs) }),
  };
}
