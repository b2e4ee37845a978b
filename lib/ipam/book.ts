/**
 * Everything that one pool knows of its addresses: who holds which, and which were released when. The ranges may
 * change, or differ from one request to the next (`ipRanges`), while the leases stay: every shape of the pool draws on
 * the same book, so no address is ever given twice. Times are milliseconds on a monotonic clock.
 */
import type { Address } from "#lib/address.ts";
import type { CoolDown, Lease } from "#lib/state/lease.ts";
import type { Pool } from "./pool.ts";
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
  /** What each set of these ranges can still give. */
  supplies(shape: Pool): readonly Supply[];
  lease(lease: Lease): void;
  /** The lease ends. `untilMs` never decreases from call to call. */
  release(record: CoolDown, untilMs: number): void;
  /** The lease never reached a pod. `untilMs` is for an address that was taken out of a cool-down. */
  cancel(address: Address, nowMs: number, untilMs: number): void;
  /** Forgets that the address was ever used. */
  forget(address: Address): void;
}

/** Shapes kept at once: a network whose requests each bring other ranges does not grow the daemon. */
const SHAPES = 8;

export function book(): Book {
  const leases = new Map<Address, Lease>();
  const released = new Map<Address, Released>();
  /** What was known of leased addresses before they were leased. */
  const before = new Map<Address, Released>();
  const shapes = new Map<string, readonly Supply[]>();

  const everySupply = (act: (supply: Supply) => void): void => {
    for (const supplies of shapes.values()) for (const each of supplies) act(each);
  };

  const filled = (shape: Pool): readonly Supply[] => {
    const supplies = shape.sets.map((ranges) => supply(ranges, shape.exclude));
    for (const each of supplies) {
      for (const address of leases.keys()) each.take(address);
      for (const [address, { untilMs }] of released) each.cool(address, untilMs);
    }
    return supplies;
  };

  const release = (record: CoolDown, untilMs: number): void => {
    const { address } = record;
    before.delete(address);
    leases.delete(address);
    released.delete(address);
    released.set(address, { record, untilMs });
    everySupply((each) => each.cool(address, untilMs));
  };

  return {
    shape: undefined,
    leases,
    released,
    supplies(shape) {
      const key = JSON.stringify([shape.sets, shape.exclude]);
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
      everySupply((each) => each.forget(address));
    },
    forget(address) {
      released.delete(address);
      everySupply((each) => each.forget(address));
    },
  };
}
