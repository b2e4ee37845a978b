/**
 * Everything that one pool knows of its addresses: who holds which, and which were released when. The ranges may
 * change, or differ from one request to the next (`ipRanges`), while the leases stay: every shape of the pool draws on
 * the same book, so no address is ever given twice. Times are milliseconds on a monotonic clock.
 */
import { type Address, addressOf, contains, family, hostPrefix, lengthOf, type Prefix, rangeOf } from "#lib/address.ts";
import type { CoolDown, Lease, Reservation, Share } from "#lib/state/lease.ts";
import type { Pool } from "./pool.ts";
import { type Reserved, reserved } from "./reserved.ts";
import { type Supply, supply } from "./supply.ts";

export interface Released {
  readonly record: CoolDown;
  /** On the monotonic clock. */
  readonly untilMs: number;
}

export interface Book {
  /** As last asked for; absent when only leases are left of it. */
  shape: Pool | undefined;
  readonly leases: ReadonlyMap<Address, Lease>;
  /** In the order in which their cool-downs end; those that have ended stay to be reused in that order. */
  readonly released: ReadonlyMap<Address, Released>;
  /** An address of one that nobody has is given to its name only; changed by `reserve` and `unreserve`. */
  readonly reservations: Reserved;
  /** What this node may give where the pool is shared between nodes, by prefix; changed by `own` and `disown`. */
  readonly shares: ReadonlyMap<Prefix, Share>;
  own(share: Share): void;
  /** Leases of it stay. */
  disown(prefix: Prefix): void;
  /** Whether this node may give the address to that name. */
  isOurs(shape: Pool, address: Address, name: string | undefined): boolean;
  /** What each set of these ranges can still give. */
  supplies(shape: Pool): readonly Supply[];
  lease(lease: Lease): void;
  /** The lease ends. `untilMs` never decreases from call to call. */
  release(record: CoolDown, untilMs: number): void;
  /** The lease never reached a pod. `untilMs` is for an address that was taken out of a cool-down. */
  cancel(address: Address, nowMs: number, untilMs: number): void;
  /** Forgets that the address was ever used. */
  forget(address: Address): void;
  /** Puts it in place of the one that the name had. */
  reserve(reservation: Reservation): void;
  /** Its addresses that nobody has may be given to anybody, after what is left of their cool-downs. */
  unreserve(name: string): void;
}

/** Shapes kept at once: a network whose requests each bring other ranges does not grow the daemon. */
const SHAPES = 8;

export function book(): Book {
  const leases = new Map<Address, Lease>();
  const released = new Map<Address, Released>();
  /** What was known of leased addresses before they were leased. */
  const before = new Map<Address, Released>();
  const reservations = reserved();
  const shapes = new Map<string, readonly Supply[]>();
  const shares = new Map<Prefix, Share>();

  const everySupply = (act: (supply: Supply) => void): void => {
    for (const supplies of shapes.values()) for (const each of supplies) act(each);
  };

  const filled = (shape: Pool): readonly Supply[] => {
    const supplies = shape.sets.map((ranges) => supply(ranges, shape.exclude, shape.blocks !== undefined));
    for (const each of supplies) {
      for (const share of shares.values()) grow(each, share);
      for (const address of leases.keys()) each.take(address);
      for (const [address, { untilMs }] of released) each.cool(address, untilMs);
      for (const { addresses } of reservations.all())
        for (const address of addresses) if (!leases.has(address)) each.keep(address);
    }
    return supplies;
  };

  /** What is given to one name alone is asked for by that name: no supply needs it. */
  const grow = (of: Supply, { prefix, without, name }: Share): void => {
    if (name !== undefined || family(prefix) !== of.family) return;
    of.grow(rangeOf(prefix));
    for (const address of without) of.shrink(rangeOf(hostPrefix(address)));
  };

  const disown = (prefix: Prefix): void => {
    if (!shares.delete(prefix)) return;
    everySupply((each) => {
      if (each.family === family(prefix)) each.shrink(rangeOf(prefix));
    });
    for (const other of shares.values())
      if (lengthOf(other.prefix) > lengthOf(prefix) && contains(prefix, addressOf(other.prefix))) settle(other);
  };

  /** Takes a share that has grown through the states that its addresses are in. */
  const settle = (share: Share): void => {
    everySupply((each) => grow(each, share));
    for (const address of leases.keys()) if (contains(share.prefix, address)) everySupply((each) => each.take(address));
    for (const address of released.keys()) if (contains(share.prefix, address)) idle(address);
    for (const { addresses } of reservations.all())
      for (const address of addresses) if (!leases.has(address) && contains(share.prefix, address)) idle(address);
  };

  /** Nobody has it now, whatever was before. */
  const idle = (address: Address): void => {
    const untilMs = released.get(address)?.untilMs;
    everySupply((each) => {
      if (reservations.of(address) !== undefined) each.keep(address);
      else if (untilMs !== undefined) each.cool(address, untilMs);
      else each.forget(address);
    });
  };

  const release = (record: CoolDown, untilMs: number): void => {
    const { address } = record;
    before.delete(address);
    leases.delete(address);
    released.delete(address);
    released.set(address, { record, untilMs });
    idle(address);
  };

  const unreserve = (name: string): void => {
    const { addresses } = reservations.remove(name) ?? { addresses: [] };
    for (const address of addresses) if (!leases.has(address)) idle(address);
  };

  return {
    shape: undefined,
    leases,
    released,
    reservations,
    shares,
    own(share) {
      disown(share.prefix);
      shares.set(share.prefix, share);
      settle(share);
    },
    disown,
    isOurs: (shape, address, name) =>
      shape.blocks === undefined ||
      [...shares.values()].some(
        (share) =>
          contains(share.prefix, address) &&
          !share.without.includes(address) &&
          (share.name === undefined || share.name === name),
      ),
    supplies(shape) {
      const key = JSON.stringify([shape.sets, shape.exclude, shape.blocks]);
      const supplies = shapes.get(key) ?? filled(shape);
      shapes.delete(key);
      shapes.set(key, supplies);
      const [oldest] = shapes.keys();
      if (shapes.size > SHAPES && oldest !== undefined) shapes.delete(oldest);
      return supplies;
    },
    lease(lease) {
      const was = released.get(lease.address);
      if (was !== undefined) before.set(lease.address, was);
      leases.set(lease.address, lease);
      released.delete(lease.address);
      everySupply((each) => each.take(lease.address));
    },
    release,
    cancel(address, nowMs, untilMs) {
      const was = before.get(address);
      if (was !== undefined && was.untilMs > nowMs) return release(was.record, untilMs);
      before.delete(address);
      leases.delete(address);
      idle(address);
    },
    forget(address) {
      released.delete(address);
      idle(address);
    },
    reserve(reservation) {
      unreserve(reservation.name);
      reservations.add(reservation);
      for (const address of reservation.addresses) if (!leases.has(address)) idle(address);
    },
    unreserve,
  };
}
