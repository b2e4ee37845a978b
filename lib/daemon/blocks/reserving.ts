/** Reservations that operators and pods make on one node are known on all of them, and are made once. */
import type { Address } from "#lib/address.ts";
import { readReservation } from "#lib/cluster/read-record.ts";
import { type ReservationRecord, reservationKey } from "#lib/cluster/records.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Reservation } from "#lib/state/lease.ts";
import type { Fixing } from "./fixing.ts";
import { erase, type Ground, readNow, replace, TRIES } from "./ground.ts";

export interface SharedReservations {
  /**
   * Makes a reservation of this node known to all.
   * @throws SelvedgeError conflict: the name has another; address-unavailable: an address is another name's; store
   */
  publish(reservation: Reservation): Promise<void>;
  /** Nothing is reserved for the name any more, on any node. @throws SelvedgeError store */
  withdraw(pool: string, name: string): Promise<void>;
  /** Asks for what is reserved for a name that nothing is known of here. @throws SelvedgeError store */
  lookUp(pool: string, name: string): Promise<void>;
  /** Makes what this node knows what the records say, for those whose keys are given. @throws SelvedgeError store */
  follow(keys: Iterable<string>): Promise<void>;
  /** Publishes what could not be published before. @throws SelvedgeError store */
  tend(): Promise<void>;
}

export function sharedReservations(ground: Ground, fixing: Fixing): SharedReservations {
  const { store, ipam, ledger, log } = ground;
  /** Keys of those that cannot be taken over while another reservation has one of their addresses. */
  const waiting = new Set<string>();

  const adopt = async (record: ReservationRecord): Promise<void> => {
    ipam.adopt(record);
    await store.commit([{ put: "reservation", value: record }]);
  };

  const forget = async ({ pool, name }: Reservation): Promise<void> => {
    ipam.unreserve(name, pool);
    await store.commit([{ remove: "reservation", pool, name }]);
  };

  const publish = async (reservation: Reservation): Promise<void> => {
    const { pool, name, addresses, mac, sinceMs } = reservation;
    const key = reservationKey(pool, name);
    const record: ReservationRecord = {
      pool,
      name,
      addresses,
      ...(mac === undefined ? {} : { mac }),
      origin: reservation.origin,
      sinceMs,
    };
    if (!(await replace(ground, key, record, undefined))) {
      const there = await readNow(ground, key, readReservation);
      if (there === undefined || !isSameSet(there.record.addresses, addresses))
        throw reserved(pool, name, there?.record);
      if (JSON.stringify(there.record) !== JSON.stringify(record) && !(await replace(ground, key, record, there)))
        throw reserved(pool, name, there.record);
    }
    try {
      for (const address of addresses) await fixing.declare(record, address);
      const here = addresses.filter((address) => ipam.leaseOf(pool, address)?.pod === name);
      (await fixing.secure(record, here))[Symbol.dispose]();
    } catch (error) {
      if (isFailure(error, "address-unavailable", "conflict")) await withdraw(pool, name);
      throw error;
    }
    await adopt(record);
  };

  const withdraw = async (pool: string, name: string): Promise<void> => {
    const key = reservationKey(pool, name);
    for (let tries = 0; tries < TRIES; tries++) {
      const now = await readNow(ground, key, readReservation);
      if (now === undefined || (await erase(ground, key, now))) return;
    }
  };

  const follow = async (key: string): Promise<void> => {
    waiting.delete(key);
    const record = ledger.reservation(key);
    const [, pool = ""] = key.split("/");
    const name = key.slice(`reservations/${pool}/`.length);
    const local = ipam.reservation(pool, name);
    // What this node has not published yet is decided when it does.
    if (local?.origin === "declared" || local?.unshared === true || !ground.pools.has(pool)) return;
    if (record === undefined) {
      // A store that does not even know this node has lost everything: what is kept here is not given up for that.
      if (ground.ledger.joined.get(ground.self.node) !== ground.self.uid) waiting.add(key);
      else if (local !== undefined) await forget(local);
      return;
    }
    if (local !== undefined && JSON.stringify({ ...local }) === JSON.stringify({ ...record })) return;
    const rivals = record.addresses.flatMap((address) => ipam.reservedFor(pool, address) ?? []);
    if (rivals.some((rival) => rival.name !== name)) waiting.add(key);
    else await adopt(record);
  };

  return {
    publish,
    withdraw,
    async lookUp(pool, name) {
      if ((await readNow(ground, reservationKey(pool, name), readReservation)) !== undefined)
        await follow(reservationKey(pool, name));
    },
    async follow(keys) {
      for (const key of keys) await follow(key);
    },
    async tend() {
      for (const own of ipam.unshared()) {
        try {
          await publish(own);
        } catch (error) {
          if (!isFailure(error, "conflict", "address-unavailable")) throw error;
          await forget(own);
          log({ event: "reservation-displaced", pool: own.pool, name: own.name, addresses: own.addresses });
          await follow(reservationKey(own.pool, own.name));
        }
      }
      for (const key of [...waiting]) await follow(key);
    },
  };
}

const isSameSet = (a: readonly Address[], b: readonly Address[]): boolean =>
  a.length === b.length && a.every((address) => b.includes(address));

const reserved = (pool: string, name: string, there: ReservationRecord | undefined): SelvedgeError =>
  new SelvedgeError(
    { kind: "conflict", what: name },
    `pool ${pool}: ${name} has ${there?.addresses.join(" and ") ?? "something"} reserved already, on all nodes`,
    { hint: `\`selvedgectl release ${name} --pool ${pool}\` first.` },
  );
