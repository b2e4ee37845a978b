/** Pools that nodes share: what of them this node may give, and how much of that it uses. In memory only. */
import { type Address, contains, type Family, type Prefix, rangeOf } from "#lib/address.ts";
import type { CoolDown, Lease, Share } from "#lib/state/lease.ts";
import type { Book } from "./book.ts";
import type { Pool } from "./pool.ts";
import type { Span } from "./spans.ts";

/** How the addresses of a share are used; those that a pod holds by a name of its own are not of the share. */
export interface ShareUse {
  readonly share: Share;
  readonly size: number;
  readonly used: number;
  readonly cooling: number;
  readonly free: number;
}

/** One set of ranges of a shared pool. */
export interface Demand {
  readonly pool: Pool;
  readonly set: number;
  readonly family: Family;
  /** What may be handed out of the set, by whichever node. */
  readonly usable: readonly Span[];
  /** Of this node. */
  readonly size: bigint;
  readonly free: bigint;
}

export interface Sharing {
  /** In place of what was this node's of that prefix. */
  own(share: Share): void;
  /** Leases stay. @returns cool-downs that have ended and need not be remembered: to be removed */
  disown(pool: string, prefix: Prefix): readonly CoolDown[];
  shares(pool?: string): readonly Share[];
  /** Whether this node may give the address to anybody. */
  isOurs(pool: string, address: Address): boolean;
  uses(pool?: string): readonly ShareUse[];
  /** Up to `count` free addresses of what is owned of the prefix, those whose turn comes last. */
  spare(pool: string, prefix: Prefix, count: number): readonly Address[];
  demands(): readonly Demand[];
  /** Who has an address here. */
  leaseOf(pool: string, address: Address): Lease | undefined;
  /** Nobody has it here, and it is to rest for the whole cool-down. */
  coolOff(pool: string, address: Address): CoolDown;
}

export function sharing({
  books,
  bookOf,
  shapes,
  coolDownMs,
  nowMs,
  clockMs,
}: {
  readonly books: ReadonlyMap<string, Book>;
  readonly bookOf: (pool: string) => Book;
  /** Pools of the configuration. */
  readonly shapes: ReadonlyMap<string, Pool>;
  readonly coolDownMs: number;
  readonly nowMs: () => number;
  readonly clockMs: () => number;
}): Sharing {
  const within = (pool: string, prefix: Prefix, count: number) => {
    const shape = shapes.get(pool);
    const of = shape === undefined ? [] : bookOf(pool).supplies(shape);
    const now = clockMs();
    return of
      .filter((each) => prefix.includes(":") === (each.family === 6))
      .map((each) => each.within(rangeOf(prefix), count, now));
  };

  const useOf = (share: Share): ShareUse => {
    const { leases, released } = bookOf(share.pool);
    const found = within(share.pool, share.prefix, Number.POSITIVE_INFINITY);
    const now = clockMs();
    const inShare = (address: Address) => contains(share.prefix, address) && !share.without.includes(address);
    let used = 0;
    for (const address of leases.keys()) if (inShare(address)) used += 1;
    let cooling = 0;
    for (const [address, { untilMs }] of released) if (untilMs > now && inShare(address)) cooling += 1;
    return {
      share,
      size: found.reduce((sum, { size }) => sum + Number(size), 0),
      used,
      cooling,
      free: found.reduce((sum, { free }) => sum + free.length, 0),
    };
  };

  const shares = (pool?: string) =>
    [...books].flatMap(([name, known]) => (pool === undefined || pool === name ? [...known.shares.values()] : []));

  return {
    own: (share) => bookOf(share.pool).own(share),

    disown(pool, prefix) {
      const known = bookOf(pool);
      known.disown(prefix);
      const now = clockMs();
      const ended = [...known.released].filter(([address, { untilMs }]) => untilMs <= now && contains(prefix, address));
      for (const [address] of ended) known.forget(address);
      return ended.map(([, { record }]) => record);
    },

    shares,
    isOurs(pool, address) {
      const shape = shapes.get(pool);
      return shape !== undefined && bookOf(pool).isOurs(shape, address, undefined);
    },
    uses: (pool) => shares(pool).map(useOf),
    spare: (pool, prefix, count) =>
      within(pool, prefix, count)
        .flatMap(({ free }) => free)
        .slice(0, count),

    demands() {
      const now = clockMs();
      return [...shapes.values()]
        .filter(({ blocks }) => blocks !== undefined)
        .flatMap((pool) =>
          bookOf(pool.name)
            .supplies(pool)
            .map((each, set) => {
              const { free } = each.count(now);
              return { pool, set, family: each.family, usable: each.usable, size: each.size, free };
            }),
        );
    },

    leaseOf: (pool, address) => books.get(pool)?.leases.get(address),

    coolOff(pool, address) {
      const releasedMs = nowMs();
      const record = { pool, address, releasedMs, untilMs: releasedMs + coolDownMs };
      bookOf(pool).release(record, clockMs() + coolDownMs);
      return record;
    },
  };
}
