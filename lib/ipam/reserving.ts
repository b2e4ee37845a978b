/**
 * Making, keeping and ending reservations, over the books of all pools. In memory only: each change says what to store,
 * and how it is undone when that fails.
 */
import { type Address, type Family, family, type Mac } from "#lib/address.ts";
import type { AttachmentKey, CoolDown, Lease, Reservation } from "#lib/state/lease.ts";
import type { Book } from "./book.ts";
import type { Pool } from "./pool.ts";
import { heldOf, mustBeNobodysMac, mustBeOurs, type ReservationWish, reservationFor, withAll } from "./reservation.ts";

/** Reservations that ended, and the cool-downs of their addresses that nobody has. */
export interface Unreserved {
  readonly reservations: readonly Reservation[];
  readonly coolDowns: readonly CoolDown[];
  undo(): void;
}

/** An attachment and the name that it goes by. */
export interface Keeper {
  readonly key: AttachmentKey;
  readonly pod?: string;
  readonly keep?: boolean;
  readonly mac?: Mac;
  /** Those of which it got addresses now; of the others the name keeps what it has. Absent: all. */
  readonly families?: readonly Family[];
}

export interface Reserving {
  /** What the attachment got is kept for its name from now on, if it is to be. */
  keep(keeper: Keeper, pool: string, addresses: readonly Address[]): void;
  /** The attachment's leases end: so does what was reserved with them, unless it is `kept`. */
  ended(key: AttachmentKey): void;
  /** Reservations that were made with the attachment's leases: to be stored once it is ready, then `kept`. */
  keeping(key: AttachmentKey): readonly Reservation[];
  kept(key: AttachmentKey): void;
  /**
   * Keeps addresses for a name; for sets of which none is named, what the name has now or what is free.
   * @throws SelvedgeError config-invalid (no such pool), address-unavailable, pool-exhausted, conflict
   */
  reserve(wish: ReservationWish): { readonly reservation: Reservation; undo(): void };
  /**
   * Ends what is reserved for the name, in one pool or in all; leases stay.
   * @throws SelvedgeError config-invalid: there is none; conflict: the configuration declares it
   */
  unreserve(name: string, pool?: string): Unreserved;
  reservations(pool?: string): (Reservation & { readonly holders: readonly Lease[] })[];
  /** What another node made, or made known: in place of what was there. */
  adopt(reservation: Reservation): void;
  /** Those of pools that nodes share which the others do not know of; not those of attachments that are not ready. */
  unshared(): readonly Reservation[];
  reservation(pool: string, name: string): Reservation | undefined;
  /** For whom the address is reserved. */
  reservedFor(pool: string, address: Address): Reservation | undefined;
  /** Whether anything is reserved for the name, in whichever pool. */
  isReserved(name: string): boolean;
  /** Who has what is reserved for the name. */
  holders(pool: string, name: string): readonly Lease[];
}

interface Books {
  readonly books: ReadonlyMap<string, Book>;
  readonly bookOf: (pool: string) => Book;
  /** @throws SelvedgeError config-invalid: no such pool */
  readonly shapeOf: (pool: string | Pool) => Pool;
  readonly coolDownMs: number;
  readonly nowMs: () => number;
  readonly clockMs: () => number;
}

export function reservations({ books, bookOf, shapeOf, coolDownMs, nowMs, clockMs }: Books): Reserving {
  /** In the order in which they were made. */
  const unsettled = new Map<string, readonly { readonly reservation: Reservation; undo(): void }[]>();

  const put = (reservation: Reservation) => {
    const known = bookOf(reservation.pool);
    const before = known.reservations.for(reservation.name);
    known.reserve(reservation);
    const undo = () => {
      // Somebody may have changed it meanwhile.
      if (known.reservations.for(reservation.name) !== reservation) return;
      if (before === undefined) known.unreserve(reservation.name);
      else known.reserve(before);
    };
    return { reservation, undo };
  };

  /** Of a pool that nodes share, before they have heard of it. */
  const beforeShared = (reservation: Reservation): Reservation =>
    bookOf(reservation.pool).shape?.blocks === undefined ? reservation : { ...reservation, unshared: true };

  const list = (pool?: string) =>
    [...books]
      .filter(([name]) => pool === undefined || pool === name)
      .flatMap(([, { reservations, leases }]) =>
        [...reservations.all()].map((each) => ({ ...each, holders: heldOf(each, leases) })),
      );

  return {
    keep({ key, keep, pod, mac, families }, pool, addresses) {
      if (keep !== true || pod === undefined) return;
      const there = bookOf(pool).reservations.for(pod);
      if (there?.origin === "declared" || addresses.every((address) => there?.addresses.includes(address))) return;
      const others = families && there?.addresses.filter((address) => !families.includes(family(address)));
      const wish = {
        name: pod,
        pool,
        addresses: [...(others ?? []), ...addresses],
        ...(mac === undefined ? {} : { mac }),
      };
      const made = put(beforeShared(withAll(there, wish, nowMs())));
      unsettled.set(keyOf(key), [...(unsettled.get(keyOf(key)) ?? []), made]);
    },

    ended(key) {
      for (const made of unsettled.get(keyOf(key))?.toReversed() ?? []) made.undo();
      unsettled.delete(keyOf(key));
    },

    keeping(key) {
      return (unsettled.get(keyOf(key)) ?? [])
        .map(({ reservation }) => reservation)
        .filter((each) => bookOf(each.pool).reservations.for(each.name) === each);
    },

    kept: (key) => void unsettled.delete(keyOf(key)),

    reserve(wish) {
      const shape = shapeOf(books.get(wish.pool)?.shape ?? wish.pool);
      mustBeNobodysMac(wish, list());
      const now = { monotonicMs: clockMs(), wallMs: nowMs() };
      return put(beforeShared(reservationFor(wish, bookOf(shape.name), shape, now)));
    },

    unreserve(name, pool) {
      const found = [...books.values()].flatMap(({ reservations }) => reservations.for(name) ?? []);
      const chosen = found.filter((each) => pool === undefined || each.pool === pool);
      mustBeOurs(name, pool, chosen);
      const releasedMs = nowMs();
      const coolDowns = chosen.flatMap((each) =>
        each.addresses
          .filter((address) => !bookOf(each.pool).leases.has(address))
          .map((address): CoolDown => {
            return { pool: each.pool, address, pod: name, releasedMs, untilMs: releasedMs + coolDownMs };
          }),
      );
      for (const each of chosen) bookOf(each.pool).unreserve(name);
      for (const record of coolDowns) bookOf(record.pool).release(record, clockMs() + coolDownMs);
      return {
        reservations: chosen,
        coolDowns,
        undo() {
          for (const each of chosen) bookOf(each.pool).reserve(each);
        },
      };
    },

    reservations: list,
    unshared() {
      const early = new Set([...unsettled.values()].flat().map(({ reservation }) => reservation));
      return [...books.values()].flatMap(({ reservations }) =>
        [...reservations.all()].filter((each) => each.unshared === true && !early.has(each)),
      );
    },
    reservation: (pool, name) => books.get(pool)?.reservations.for(name),
    reservedFor: (pool, address) => books.get(pool)?.reservations.of(address),
    adopt: (reservation) => bookOf(reservation.pool).reserve(reservation),

    isReserved: (name) => [...books.values()].some(({ reservations }) => reservations.for(name) !== undefined),

    holders(pool, name) {
      const known = books.get(pool);
      const reservation = known?.reservations.for(name);
      return known === undefined || reservation === undefined ? [] : heldOf(reservation, known.leases);
    },
  };
}

/** Neither part of CNI's key may hold a space. */
const keyOf = ({ containerId, ifname }: AttachmentKey): string => `${containerId} ${ifname}`;
