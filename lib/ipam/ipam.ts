/**
 * Which attachment has which address. All state is in memory, changes are returned for the caller to store, and every
 * function is synchronous: nothing else runs between looking and taking.
 *
 * Cool-downs are counted on the monotonic clock and stored as wall time. At `restore` a stored one is held to at most
 * the full cool-down and at least zero, whatever the wall clock did in between.
 */
import { type Address, type Family, family, type Mac, type Prefix } from "#lib/address.ts";
import type { PodAddress } from "#lib/attach/kind.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { AttachmentKey, CoolDown, Lease, PoolRecord, Reservation, Share } from "#lib/state/lease.ts";
import { type Book, book } from "./book.ts";
import { choose, owner, placed, podAddress } from "./choose.ts";
import type { Pool } from "./pool.ts";
import { poolText, readPoolText } from "./pool-text.ts";
import { exhausted } from "./refusal.ts";
import { declare, mustFitMac, type ReservationWish } from "./reservation.ts";
import { type Reserving, reservations } from "./reserving.ts";
import { type Sharing, sharing } from "./sharing.ts";
import { type PoolUsage, usageOf } from "./usage.ts";

export interface IpamOptions {
  /** Pools of the daemon's configuration. */
  readonly pools: readonly Pool[];
  /** Reservations of the daemon's configuration, in pools of it. */
  readonly reservations?: readonly ReservationWish[];
  readonly coolDownMs: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
}

export interface AddressRequest {
  readonly key: AttachmentKey;
  /** Name of a pool of the daemon, or the pool that came with the network configuration (`networkPool`). */
  readonly pool: string | Pool;
  /** Only of sets of these; leases of others that the key has stay as they are. Absent: of every set. */
  readonly families?: readonly Family[];
  /** Addresses asked for by name, at most one of each set. */
  readonly requested?: readonly (Address | Prefix)[];
  /** namespace/name, or another name that it goes by: what is reserved for the name is what it gets. */
  readonly pod?: string;
  /** What it gets becomes the name's reservation, unless it has one. */
  readonly keep?: boolean;
  /** Asked for by name; a reservation keeps it, too. */
  readonly mac?: Mac;
}

/** What `allocate` did: to be stored in one commit with the attachment. */
export interface Allocation {
  /** One for each set of the pool, in order. */
  readonly leases: readonly Lease[];
  /** The same addresses with their subnets' lengths and gateways. */
  readonly addresses: readonly PodAddress[];
  /** The reservation's. */
  readonly mac?: Mac;
  /** Cool-downs that ended because their address is leased again: to be removed. */
  readonly ended: readonly CoolDown[];
  /** Pools of network configurations that are new or have changed: to be put. */
  readonly pools: readonly PoolRecord[];
}

export interface Release {
  readonly leases: readonly Lease[];
  readonly coolDowns: readonly CoolDown[];
}

export interface Saved {
  readonly leases: readonly Lease[];
  readonly coolDowns: readonly CoolDown[];
  readonly pools: readonly PoolRecord[];
  readonly reservations: readonly Reservation[];
  /** Of pools that nodes share. */
  readonly shares?: readonly Share[];
}

export interface Ipam extends Omit<Reserving, "keep" | "ended">, Sharing {
  /**
   * Takes over what a store holds; once, before anything else.
   * @returns stored reservations that the configuration's displace, by name or by address: to be removed
   * @throws SelvedgeError store: an unreadable pool
   */
  restore(saved: Saved): readonly Reservation[];
  /** These are the daemon's pools from now on. Leases stay, and what is kept for names, also in one that is none of them. */
  setPools(pools: readonly Pool[]): void;
  /**
   * An address of each set of the pool, or none at all. The same key gets the same leases again.
   * @throws SelvedgeError pool-exhausted, address-unavailable, config-invalid (no such pool), conflict (the key holds
   * others, or another one the name's reservation)
   */
  allocate(request: AddressRequest): Allocation;
  /** What `release` would end and begin now; changes nothing, so that it can be stored first. */
  ending(key: AttachmentKey): Release;
  /** Ends the leases of the key, if there are any, and starts their cool-downs. */
  release(key: AttachmentKey): Release;
  /** Takes an allocation back that no pod ever had, because it could not be stored: no cool-down. */
  cancel(key: AttachmentKey): void;
  /** The lines of what CHECK misses: addresses that the attachment was given and that are not leased to it. */
  missing(keys: readonly AttachmentKey[], given: readonly Address[]): string[];
  /** Of each set, or of each of one family. @throws SelvedgeError pool-exhausted, config-invalid (no such pool) */
  mustHaveFree(pool: string | Pool, of?: Family): void;
  leases(pool?: string): Lease[];
  /** Those that have not ended. */
  cooling(pool?: string): (CoolDown & { readonly remainingMs: number })[];
  usage(): PoolUsage[];
  /** Subnets of the pools whose name is meant, sorted. */
  subnets(isMeant?: (pool: string) => boolean): Prefix[];
  /** Forgets what nobody needs to know any more; to be removed from the store. For the timer. */
  sweep(): { readonly coolDowns: readonly CoolDown[]; readonly pools: readonly string[] };
}

/** Released addresses that are remembered of a pool larger than this: enough not to reuse one soon. */
const REMEMBERED = 4_096;
/** Up to this size (a /16) every release is remembered, so that the longest released is the next reused. */
const REMEMBER_ALL = 65_536n;

export function ipam({ pools, reservations: declared = [], coolDownMs, nowMs, clockUs }: IpamOptions): Ipam {
  const configured = new Map(pools.map((pool) => [pool.name, pool]));
  const books = new Map<string, Book>();
  const holdings = new Map<string, Lease[]>();
  const clockMs = () => clockUs() / 1000;

  const bookOf = (name: string): Book => {
    const known = books.get(name);
    if (known !== undefined) return known;
    const made = book();
    made.shape = configured.get(name);
    books.set(name, made);
    return made;
  };
  for (const pool of pools) bookOf(pool.name);

  for (const [i, wish] of declared.entries()) declare(i, wish, bookOf(wish.pool), nowMs());

  const shapeOf = (pool: string | Pool): Pool => {
    if (typeof pool !== "string") return pool;
    const found = configured.get(pool);
    if (found !== undefined) return found;
    const known = [...configured.keys()].join(", ") || "none";
    throw new SelvedgeError(
      { kind: "config-invalid", field: "pool" },
      `pool: ${JSON.stringify(pool)} is not a pool of the daemon's configuration; known: ${known}`,
    );
  };

  const { keep, ended: endKept, ...reserving } = reservations({ books, bookOf, shapeOf, coolDownMs, nowMs, clockMs });
  const shared = sharing({ books, bookOf, shapes: configured, coolDownMs, nowMs, clockMs });

  /** What to store of a network's pool: itself, when its shape is not the one that was stored last. */
  const reshaped = (known: Book, shape: Pool): PoolRecord[] => {
    if (configured.has(shape.name)) return [];
    const text = poolText(shape);
    if (known.shape !== undefined && poolText(known.shape) === text) return [];
    known.shape = shape;
    return [{ name: shape.name, pool: text }];
  };

  const macOf = ({ pod, mac }: AddressRequest, pool: string): { mac?: Mac } => {
    const reservation = pod === undefined ? undefined : bookOf(pool).reservations.for(pod);
    if (reservation?.mac === undefined) return {};
    mustFitMac(reservation, mac);
    return { mac: reservation.mac };
  };

  /** An ADD that is repeated after a crash. @throws SelvedgeError conflict */
  const again = (held: readonly Lease[], request: AddressRequest, shape: Pool): Allocation => {
    const { key, requested = [] } = request;
    const supplies = bookOf(shape.name).supplies(shape).filter(meantBy(request));
    const named = placed(supplies, { pool: shape.name, requested });
    const ofSets = supplies.map((each) => held.find((lease) => each.rangeFor(lease.address) !== undefined));
    const leases = ofSets.filter((lease) => lease !== undefined);
    const fits =
      held.every((lease) => lease.pool === shape.name) &&
      leases.length === supplies.length &&
      held.length === leases.length &&
      [...named.values()].every((address) => leases.some((lease) => lease.address === address));
    if (!fits) {
      const holds = held.map((lease) => `${lease.address} of pool ${lease.pool}`).join(", ");
      throw new SelvedgeError({ kind: "conflict", what: holds }, `${owner(key)} already holds ${holds}`, {
        hint: "DEL the attachment before adding it with other addresses.",
      });
    }
    return {
      leases,
      addresses: leases.map((lease) => podAddress(lease.address, supplies)),
      ...macOf(request, shape.name),
      ended: [],
      pools: [],
    };
  };

  const ending = (key: AttachmentKey): Release => {
    const leases = holdings.get(keyOf(key)) ?? [];
    const releasedMs = nowMs();
    const coolDowns = leases.map(
      ({ pool, address, pod }): CoolDown => ({
        pool,
        address,
        ...(pod === undefined ? {} : { pod }),
        releasedMs,
        untilMs: releasedMs + coolDownMs,
      }),
    );
    return { leases, coolDowns };
  };

  return {
    ...shared,
    ...reserving,

    restore(saved) {
      for (const record of saved.pools) bookOf(record.name).shape ??= readPoolText(record);
      const displaced = saved.reservations.filter(({ pool, name, addresses }) => {
        const { reservations } = bookOf(pool);
        return [reservations.for(name), ...addresses.map((address) => reservations.of(address))].some(
          (other) => other !== undefined,
        );
      });
      for (const reservation of saved.reservations)
        if (!displaced.includes(reservation)) bookOf(reservation.pool).reserve(reservation);
      const wallMs = nowMs();
      const clock = clockMs();
      const remaining = (c: CoolDown) => Math.min(Math.max(c.untilMs - wallMs, 0), coolDownMs);
      const inOrder = saved.coolDowns.toSorted(
        (a, b) => remaining(a) - remaining(b) || a.releasedMs - b.releasedMs || (a.address < b.address ? -1 : 1),
      );
      for (const record of inOrder) bookOf(record.pool).release(record, clock + remaining(record));
      for (const share of saved.shares ?? []) bookOf(share.pool).own(share);
      for (const lease of saved.leases) {
        bookOf(lease.pool).lease(lease);
        holdings.set(keyOf(lease), [...(holdings.get(keyOf(lease)) ?? []), lease]);
      }
      return displaced;
    },

    setPools(pools) {
      // Nobody has an address there; whose its subnets are nobody knows any more.
      for (const name of configured.keys()) {
        const known = bookOf(name);
        if (known.leases.size === 0) known.shape = undefined;
      }
      configured.clear();
      for (const pool of pools) {
        configured.set(pool.name, pool);
        bookOf(pool.name).shape = pool;
      }
    },

    allocate(request) {
      const shape = shapeOf(request.pool);
      const isMeant = meantBy(request);
      const ofKey = holdings.get(keyOf(request.key)) ?? [];
      const held = ofKey.filter(({ address }) => isMeant({ family: family(address) }));
      if (held.length > 0) return again(held, request, shape);
      const known = bookOf(shape.name);
      const all = known.supplies(shape);
      const supplies = all.filter(isMeant);
      const pod = request.pod === undefined ? {} : { pod: request.pod };
      const reservation = request.pod === undefined ? undefined : known.reservations.for(request.pod);
      const mac = macOf(request, shape.name);
      const wish = {
        pool: shape.name,
        all,
        requested: request.requested ?? [],
        ...pod,
        ...(reservation === undefined
          ? {}
          : { reservation, kept: reservation.addresses.filter((each) => isMeant({ family: family(each) })) }),
        isOurs: (address: Address) => known.isOurs(shape, address, reservation?.name),
      };
      const chosen = choose(known, supplies, wish, clockMs());
      const ended = chosen.flatMap((address) => known.released.get(address)?.record ?? []);
      const { containerId, ifname } = request.key;
      const sinceMs = nowMs();
      const leases = chosen.map((address) => ({ containerId, ifname, pool: shape.name, address, ...pod, sinceMs }));
      for (const lease of leases) known.lease(lease);
      holdings.set(keyOf(request.key), [...ofKey, ...leases]);
      keep(request, shape.name, chosen);
      return {
        leases,
        addresses: chosen.map((address) => podAddress(address, supplies)),
        ...mac,
        ended,
        pools: reshaped(known, shape),
      };
    },

    ending,

    release(key) {
      const release = ending(key);
      holdings.delete(keyOf(key));
      const untilMs = clockMs() + coolDownMs;
      for (const record of release.coolDowns) bookOf(record.pool).release(record, untilMs);
      endKept(key);
      return release;
    },

    cancel(key) {
      for (const { pool, address } of holdings.get(keyOf(key)) ?? []) {
        bookOf(pool).cancel(address, clockMs(), clockMs() + coolDownMs);
      }
      holdings.delete(keyOf(key));
      endKept(key);
    },

    missing(keys, given) {
      const held = new Set(keys.flatMap((key) => holdings.get(keyOf(key))?.map((lease) => lease.address) ?? []));
      const holder = keys.map(owner).join(", ");
      return given.filter((address) => !held.has(address)).map((address) => `+ lease ${address} for ${holder}`);
    },

    mustHaveFree(pool, of) {
      const shape = shapeOf(pool);
      const supplies = bookOf(shape.name).supplies(shape);
      const now = clockMs();
      for (const each of supplies)
        if ((of === undefined || each.family === of) && each.peek(now) === undefined)
          throw exhausted(shape.name, each, supplies, now);
    },

    leases: (pool) => [...books].flatMap(([name, { leases }]) => (named(pool, name) ? [...leases.values()] : [])),

    cooling(pool) {
      const now = clockMs();
      return [...books]
        .filter(([name]) => named(pool, name))
        .flatMap(([, { released, reservations }]) =>
          [...released.values()].filter(({ record }) => reservations.of(record.address) === undefined),
        )
        .filter(({ untilMs }) => untilMs > now)
        .map(({ record, untilMs }) => ({ ...record, remainingMs: Math.ceil(untilMs - now) }));
    },

    usage: () => [...books].map(([name, known]) => usageOf(name, known, clockMs())),

    subnets(isMeant = () => true) {
      const shapes = [...books].flatMap(([name, { shape }]) => (isMeant(name) ? (shape ?? []) : []));
      return [...new Set(shapes.flatMap(({ sets }) => sets.flat().map(({ subnet }) => subnet)))].sort();
    },

    sweep() {
      const now = clockMs();
      const coolDowns: CoolDown[] = [];
      const gone: string[] = [];
      for (const [name, known] of books) {
        const unused = known.leases.size === 0 && known.reservations.size === 0;
        const idle = unused && [...known.released.values()].every(({ untilMs }) => untilMs <= now);
        const drop = idle && !configured.has(name);
        const { size } = usageOf(name, known, now);
        let surplus = drop ? known.released.size : size > REMEMBER_ALL ? known.released.size - REMEMBERED : 0;
        for (const [address, { record, untilMs }] of known.released) {
          if (surplus <= 0 || untilMs > now) break;
          known.forget(address);
          coolDowns.push(record);
          surplus -= 1;
        }
        if (!drop) continue;
        books.delete(name);
        gone.push(name);
      }
      return { coolDowns, pools: gone };
    },
  };
}

/** Neither part of CNI's key may hold a space. */
const keyOf = ({ containerId, ifname }: AttachmentKey): string => `${containerId} ${ifname}`;

const meantBy =
  ({ families }: Pick<AddressRequest, "families">) =>
  ({ family }: { readonly family: Family }): boolean =>
    families === undefined || families.includes(family);

const named = (asked: string | undefined, name: string): boolean => asked === undefined || asked === name;
