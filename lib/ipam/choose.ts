/** One address for each set of a pool: those that were asked for, and the next ones for the sets that are left. */
import { type Address, addressOf, bare, bitsOf, family, lengthOf, type Prefix, withLength } from "#lib/address.ts";
import type { PodAddress } from "#lib/attach/kind.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { AttachmentKey, Lease, Reservation } from "#lib/state/lease.ts";
import type { Book } from "./book.ts";
import type { Range } from "./pool.ts";
import { exhausted, seconds, unavailable } from "./refusal.ts";
import type { Supply } from "./supply.ts";

export interface Wish {
  readonly pool: string;
  /** Every set of the pool, where only some are meant: an error says which it speaks of. */
  readonly all?: readonly Supply[];
  /** Addresses asked for by name, with or without a prefix length. */
  readonly requested: readonly (Address | Prefix)[];
  readonly pod?: string;
  /** What is kept for whom the addresses are for, and the addresses of it that are meant. */
  readonly reservation?: Reservation;
  readonly kept?: readonly Address[];
  /** Whether this node may give an address of a pool that nodes share. Absent: all of the pool is its own. */
  readonly isOurs?: (address: Address) => boolean;
}

/**
 * @returns one address for each set, in the order of the sets; nothing is taken
 * @throws SelvedgeError pool-exhausted, address-unavailable, conflict (somebody has the reservation's address)
 */
export function choose(from: Book, supplies: readonly Supply[], wish: Wish, nowMs: number): Address[] {
  const named = placed(supplies, wish);
  for (const [of, address] of keptFor(supplies, wish)) {
    const other = named.get(of);
    if (other !== undefined && other !== address)
      throw unavailable(wish.pool, other, `was asked for, but ${wish.reservation?.name} has ${address} reserved`);
    named.set(of, address);
  }
  for (const address of named.values()) mustBeFree(from, wish, address, nowMs);
  return supplies.map((each) => {
    const address = named.get(each) ?? each.peek(nowMs);
    if (address === undefined) throw exhausted(wish.pool, each, wish.all ?? supplies, nowMs);
    return address;
  });
}

/** Which set each asked-for address belongs to. @throws SelvedgeError address-unavailable */
export function placed(supplies: readonly Supply[], { pool, requested }: Wish): Map<Supply, Address> {
  const named = new Map<Supply, Address>();
  for (const asked of requested) {
    const address = bare(asked);
    const of = supplies.find((each) => each.rangeFor(address) !== undefined);
    const range = of?.rangeFor(address);
    if (of === undefined || range === undefined)
      throw unavailable(pool, address, `lies in none of its ranges (${supplies.flatMap(shown).join(", ")})`);
    if (isGateway(address, supplies)) throw unavailable(pool, address, "is a gateway");
    mustFitLength(pool, asked, range);
    const other = named.get(of);
    if (other !== undefined && other !== address)
      throw unavailable(pool, address, `and ${other} are of the same set of ranges, which gives one address each`);
    named.set(of, address);
  }
  return named;
}

/** The reservation's addresses by set. @throws SelvedgeError address-unavailable: the pool's ranges have changed */
function keptFor(supplies: readonly Supply[], { pool, reservation, kept }: Wish): Map<Supply, Address> {
  if (reservation === undefined) return new Map();
  const requested = kept ?? reservation.addresses;
  return placed(supplies, { pool: `${pool}, reservation ${reservation.name}`, requested });
}

const isGateway = (address: Address, supplies: readonly Supply[]): boolean =>
  supplies.some(({ ranges }) => ranges.some(({ gateway }) => gateway === address));

/** A host's length says nothing about the subnet; any other must be the subnet's. */
function mustFitLength(pool: string, asked: Address | Prefix, { subnet }: Range): void {
  if (!asked.includes("/")) return;
  const length = lengthOf(asked as Prefix);
  if (length === lengthOf(subnet) || length === bitsOf(family(subnet))) return;
  throw unavailable(
    pool,
    addressOf(asked as Prefix),
    `was asked for with length /${length}, but its subnet is ${subnet}: ask without a length`,
  );
}

/**
 * A cooling address is refused even by name, because replies to its last owner may still be under way; only the same
 * pod may have its own address back at once.
 */
function mustBeFree(from: Book, { pool, pod, reservation, isOurs }: Wish, address: Address, nowMs: number): void {
  if (isOurs?.(address) === false)
    throw unavailable(
      pool,
      address,
      "is another node's to give",
      "`selvedgectl reserve` fixes it for a name, whose pod may have it on any node.",
    );
  const lease = from.leases.get(address);
  const kept = from.reservations.of(address);
  if (kept !== undefined && kept.name !== reservation?.name)
    throw unavailable(
      pool,
      address,
      `is reserved for ${kept.name}${lease === undefined ? "" : `, and held by ${owner(lease)}`}`,
    );
  if (kept !== undefined && lease !== undefined) throw taken(kept, lease);
  if (lease !== undefined) throw unavailable(pool, address, `is held by ${owner(lease)}`);
  const released = from.released.get(address);
  if (released === undefined || released.untilMs <= nowMs) return;
  if (pod !== undefined && released.record.pod === pod) return;
  throw unavailable(pool, address, `is cooling down for another ${seconds(released.untilMs - nowMs)}`);
}

/** Two that live at once cannot have one address. */
const taken = ({ pool, name }: Reservation, lease: Lease): SelvedgeError =>
  new SelvedgeError(
    { kind: "conflict", what: lease.address },
    `pool ${pool}: ${lease.address} is reserved for ${name}, but held by ${owner(lease)}`,
    { hint: "It is free as soon as that one is deleted; a second interface of the same pod needs another pool." },
  );

export const owner = (lease: AttachmentKey & { readonly pod?: string }): string =>
  `container ${lease.containerId} ${lease.ifname}${lease.pod === undefined ? "" : ` (${shownName(lease.pod)})`}`;

/** Names of pods have a namespace; others say by themselves what they are, as `vm:db` does. */
const shownName = (name: string): string => (name.includes("/") ? `pod ${name}` : name);

const shown = ({ ranges }: Supply): string[] => ranges.map(({ first, last }) => `${first}-${last}`);

/** As the pod sees it: with its subnet's length and gateway. @throws SelvedgeError address-unavailable: in no range */
export function podAddress(address: Address, supplies: readonly Supply[]): PodAddress {
  const range = supplies.map((each) => each.rangeFor(address)).find((found) => found !== undefined);
  if (range === undefined)
    throw new SelvedgeError(
      { kind: "address-unavailable", address },
      `${address} lies outside every range of its pool`,
    );
  const { subnet, gateway } = range;
  return { address: withLength(address, lengthOf(subnet)), ...(gateway === undefined ? {} : { gateway }) };
}
