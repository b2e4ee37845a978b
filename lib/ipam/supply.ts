/**
 * What one set of ranges can still give: fresh addresses in ascending order from a moving pointer, then those that
 * have rested longest since their cool-down ended. Times are milliseconds on a monotonic clock.
 */
import { type Address, type Family, family, fromNumber, type Prefix, rangeOf, toNumber } from "#lib/address.ts";
import type { Range } from "./pool.ts";
import { type Span, spans } from "./spans.ts";

export interface Supply {
  readonly family: Family;
  readonly ranges: readonly Range[];
  /** Addresses that may be handed out without being asked for by name. */
  readonly size: bigint;
  /** What that would be if all of the ranges were this node's. */
  readonly usable: readonly Span[];
  /** These are this node's from now on, as far as they are usable; nobody has them. */
  grow(span: Span): void;
  /** These are not this node's any more. */
  shrink(span: Span): void;
  /** How many of the span may be handed out, and up to `count` of those that are free, those that come last in turn. */
  within(span: Span, count: number, nowMs: number): { readonly size: bigint; readonly free: readonly Address[] };
  /** The range that `address` lies in, excluded or not. */
  rangeFor(address: Address): Range | undefined;
  /** Somebody has it now. */
  take(address: Address): void;
  /** Nobody has it any more, and nobody may have it before `untilMs`. Called in the order of `untilMs`: one that comes late rests longer. */
  cool(address: Address, untilMs: number): void;
  /** It was released and its release need not be remembered. */
  forget(address: Address): void;
  /** Nobody has it, and one name alone may have it: it is not handed out unless it is asked for. */
  keep(address: Address): void;
  /** The address that is next, without taking it. */
  peek(nowMs: number): Address | undefined;
  count(nowMs: number): Counts;
}

export interface Counts {
  readonly free: bigint;
  readonly leased: bigint;
  readonly cooling: number;
  /** Kept for a name, and not leased. */
  readonly reserved: number;
  /** Until the next address is free: 0 when one is; absent when every address is leased or kept. */
  readonly nextFreeMs?: number;
}

/** @param shared nothing is this node's before it has grown */
export function supply(ranges: readonly Range[], exclude: readonly Prefix[], shared = false): Supply {
  const of: Family = ranges[0] === undefined ? 4 : family(ranges[0].subnet);
  const parts = ranges.map((range) => {
    const span = { first: toNumber(range.first), last: toNumber(range.last) };
    const usable = unreserved(span, ranges, exclude);
    const own = shared ? [] : usable.list();
    return { range, span, usable, eligible: spans(own), fresh: spans(own) };
  });
  const cooling = new Map<Address, number>();
  const rested = new Set<Address>();
  const kept = new Set<Address>();
  let turn = 0;
  let pointer = 0n;

  const partFor = (n: bigint) => parts.find(({ span }) => n >= span.first && n <= span.last);
  const eligible = (address: Address) => {
    if (family(address) !== of) return undefined;
    const n = toNumber(address);
    const part = partFor(n);
    return part?.eligible.has(n) ? { n, part } : undefined;
  };
  const leave = (address: Address) => {
    cooling.delete(address);
    rested.delete(address);
    kept.delete(address);
  };
  const sizeNow = () => parts.reduce((sum, part) => sum + part.eligible.size, 0n);
  const freshCount = () => parts.reduce((sum, part) => sum + part.fresh.size, 0n);

  /** Each address moves from cooling to rested once, so the cost is paid once a release. */
  const settle = (nowMs: number) => {
    for (const [address, untilMs] of cooling) {
      if (untilMs > nowMs) return;
      cooling.delete(address);
      rested.add(address);
    }
  };

  /** From the pointer to the end of its range, through the other ranges, and round to the start of its range. */
  const nextFresh = (): bigint | undefined => {
    for (let step = 0; step <= parts.length; step++) {
      const part = parts[(turn + step) % parts.length];
      const found = part?.fresh.from(step === 0 ? pointer : part.span.first);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  return {
    family: of,
    ranges,
    get size() {
      return sizeNow();
    },
    usable: parts.flatMap(({ usable }) => usable.list()),
    grow(span) {
      for (const { usable, eligible, fresh } of parts)
        for (const each of usable.within(span)) {
          eligible.put(each);
          fresh.put(each);
        }
    },
    shrink(span) {
      for (const { eligible, fresh } of parts) {
        eligible.cut(span);
        fresh.cut(span);
      }
      for (const idle of [cooling, rested, kept])
        for (const address of idle.keys()) if (inSpan(span, address)) leave(address);
    },
    within(span, count, nowMs) {
      settle(nowMs);
      let size = 0n;
      const free: Address[] = [];
      for (const { eligible, fresh } of parts) {
        for (const { first, last } of eligible.within(span)) size += last - first + 1n;
        for (const { first, last } of fresh.within(span).reverse())
          for (let n = last; n >= first && free.length < count; n--) free.push(fromNumber(n, of));
      }
      for (const address of [...rested].reverse()) if (free.length < count && inSpan(span, address)) free.push(address);
      return { size, free };
    },
    rangeFor: (address) => (family(address) === of ? partFor(toNumber(address))?.range : undefined),
    take(address) {
      const at = eligible(address);
      if (at === undefined) return;
      if (at.n === nextFresh()) {
        turn = parts.indexOf(at.part);
        pointer = at.n + 1n;
      }
      at.part.fresh.remove(at.n);
      leave(address);
    },
    cool(address, untilMs) {
      const at = eligible(address);
      if (at === undefined) return;
      at.part.fresh.remove(at.n);
      leave(address);
      cooling.set(address, untilMs);
    },
    forget(address) {
      const at = eligible(address);
      if (at === undefined) return;
      leave(address);
      at.part.fresh.add(at.n);
    },
    keep(address) {
      const at = eligible(address);
      if (at === undefined) return;
      at.part.fresh.remove(at.n);
      leave(address);
      kept.add(address);
    },
    peek(nowMs) {
      settle(nowMs);
      const n = nextFresh();
      if (n !== undefined) return fromNumber(n, of);
      return rested.values().next().value;
    },
    count(nowMs) {
      settle(nowMs);
      const free = freshCount() + BigInt(rested.size);
      const leased = sizeNow() - free - BigInt(cooling.size + kept.size);
      const counts = { free, leased, cooling: cooling.size, reserved: kept.size };
      if (free > 0n) return { ...counts, nextFreeMs: 0 };
      const untilMs = cooling.values().next().value;
      return { ...counts, ...(untilMs === undefined ? {} : { nextFreeMs: untilMs - nowMs }) };
    },
  };
}

const inSpan = ({ first, last }: Span, address: Address): boolean => {
  const n = toNumber(address);
  return n >= first && n <= last;
};

/** Neither gateways nor excluded addresses are handed out unasked. */
function unreserved(span: Span, ranges: readonly Range[], exclude: readonly Prefix[]) {
  const left = spans([span]);
  for (const { subnet, gateway } of ranges) {
    if (gateway === undefined || family(gateway) !== family(subnet)) continue;
    left.cut({ first: toNumber(gateway), last: toNumber(gateway) });
  }
  for (const prefix of exclude)
    if (ranges[0] !== undefined && family(prefix) === family(ranges[0].subnet)) left.cut(rangeOf(prefix));
  return left;
}
