/** Making reservations: which addresses are kept for a name, and why they cannot be. */
import type { Address, Mac } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Lease, Origin, Reservation } from "#lib/state/lease.ts";
import type { Book } from "./book.ts";
import { owner, placed } from "./choose.ts";
import type { Pool } from "./pool.ts";
import { exhausted, unavailable } from "./refusal.ts";
import type { Supply } from "./supply.ts";

export interface ReservationWish {
  readonly name: string;
  readonly pool: string;
  /** At most one of each set of the pool. */
  readonly addresses: readonly Address[];
  readonly mac?: Mac;
}

/** One of the configuration, which is checked before anything else is known. @throws SelvedgeError config-invalid */
export function declare(index: number, wish: ReservationWish, of: Book, nowMs: number): void {
  const field = `reservations[${index}].addresses`;
  try {
    placed(of.shape === undefined ? [] : of.supplies(of.shape), { pool: wish.pool, requested: wish.addresses });
    mustBeNobodyElses(of, wish);
  } catch (error) {
    if (!(error instanceof SelvedgeError)) throw error;
    throw new SelvedgeError({ kind: "config-invalid", field }, `${field}: ${error.message}`);
  }
  of.reserve({ ...wish, origin: "declared", sinceMs: nowMs });
}

/**
 * One that an operator asks for. What the name has reserved or leased already is what it keeps.
 * @throws SelvedgeError address-unavailable, pool-exhausted, conflict
 */
export function reservationFor(
  wish: ReservationWish,
  of: Book,
  shape: Pool,
  now: { readonly monotonicMs: number; readonly wallMs: number },
): Reservation {
  const supplies = of.supplies(shape);
  const there = of.reservations.for(wish.name);
  mustChangeOnly(there, wish);
  mustBeNobodyElses(of, wish, freeOf(supplies, now.monotonicMs));
  const asked = placed(supplies, { pool: wish.pool, requested: wish.addresses });
  const own = [...(there?.addresses ?? []), ...leasedTo(wish.name, of)];
  const addresses = supplies.map((each) => {
    const had = own.find((address) => each.rangeFor(address) !== undefined);
    const address = asked.get(each) ?? had ?? each.peek(now.monotonicMs);
    if (address === undefined) throw exhausted(wish.pool, each, supplies, now.monotonicMs);
    return address;
  });
  return withAll(there, { ...wish, addresses }, now.wallMs, "operator");
}

/** What was there, with these addresses. */
export const withAll = (
  there: Reservation | undefined,
  { name, pool, addresses, mac = there?.mac }: ReservationWish,
  nowMs: number,
  origin: Origin = "kept",
): Reservation => ({
  pool,
  name,
  addresses,
  ...(mac === undefined ? {} : { mac }),
  origin: there?.origin ?? origin,
  sinceMs: there?.sinceMs ?? nowMs,
});

/** @throws SelvedgeError conflict */
function mustChangeOnly(there: Reservation | undefined, { addresses }: ReservationWish): void {
  if (there === undefined) return;
  if (there.origin === "declared") throw declared(there);
  const other = addresses.find((address) => !there.addresses.includes(address));
  if (other === undefined) return;
  const has = there.addresses.join(", ");
  throw new SelvedgeError(
    { kind: "conflict", what: there.name },
    `pool ${there.pool}: ${there.name} has ${has} reserved already, not ${other}`,
    { hint: `\`selvedgectl release ${there.name} --pool ${there.pool}\` first.` },
  );
}

/** @throws SelvedgeError address-unavailable */
function mustBeNobodyElses(of: Book, { name, pool, addresses }: ReservationWish, hint?: string): void {
  for (const address of addresses) {
    const other = of.reservations.of(address);
    if (other !== undefined && other.name !== name)
      throw unavailable(pool, address, `is reserved for ${other.name}`, hint);
    const lease = of.leases.get(address);
    if (lease !== undefined && lease.pod !== name) throw unavailable(pool, address, `is held by ${owner(lease)}`, hint);
  }
}

function freeOf(supplies: readonly Supply[], nowMs: number): string {
  const next = supplies.flatMap((each) => each.peek(nowMs) ?? []);
  return next.length === 0 ? "No other address is free." : `Free: ${next.join(", ")}.`;
}

function leasedTo(name: string, { leases }: Book): Address[] {
  const found: Address[] = [];
  for (const { pod, address } of leases.values()) if (pod === name) found.push(address);
  return found;
}

/** @throws SelvedgeError conflict: the attachment asks for another MAC than the one that is reserved */
export function mustFitMac({ name, pool, mac }: Reservation, asked: Mac | undefined): void {
  if (asked === undefined || mac === undefined || asked === mac) return;
  throw new SelvedgeError(
    { kind: "conflict", what: asked },
    `mac: ${asked} was asked for, but ${name} has ${mac} reserved in pool ${pool}`,
    { hint: "Ask for none, or for that one." },
  );
}

/** @throws SelvedgeError conflict */
export function mustBeNobodysMac({ name, mac }: ReservationWish, all: Iterable<Reservation>): void {
  if (mac === undefined) return;
  for (const other of all)
    if (other.mac === mac && other.name !== name)
      throw new SelvedgeError(
        { kind: "conflict", what: mac },
        `mac: ${mac} is reserved for ${other.name} in pool ${other.pool}`,
        { hint: "Choose another, or none: then each attachment has one of its own." },
      );
}

/** What may be ended on request. @throws SelvedgeError config-invalid: nothing, conflict: what the configuration declares */
export function mustBeOurs(name: string, pool: string | undefined, found: readonly Reservation[]): void {
  if (found.length === 0)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "name" },
      `name: nothing is reserved for ${JSON.stringify(name)}${pool === undefined ? "" : ` in pool ${pool}`}`,
      { hint: "`selvedgectl reservations` lists what is." },
    );
  for (const each of found) if (each.origin === "declared") throw declared(each);
}

const declared = ({ name, pool }: Reservation): SelvedgeError =>
  new SelvedgeError(
    { kind: "conflict", what: name },
    `pool ${pool}: the reservation of ${name} is declared in the daemon's configuration`,
    { hint: "Change it there, and restart the daemon: pods keep their network meanwhile." },
  );

export const heldOf = ({ addresses }: Reservation, leases: ReadonlyMap<Address, Lease>): Lease[] =>
  addresses.flatMap((address) => leases.get(address) ?? []);
