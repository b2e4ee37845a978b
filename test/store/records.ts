/** What nodes put into a shared store, one of each kind, and what of it every store keeps. */
import assert from "node:assert/strict";
import type { Address, Mac, Prefix } from "#lib/address.ts";
import {
  type BlockRecord,
  blockKey,
  type EgressRecord,
  type EndpointRecord,
  egressKey,
  endpointKey,
  type FixedRecord,
  fixedKey,
  type NodeRecord,
  nodeKey,
  type ReservationRecord,
  reservationKey,
  type WantRecord,
  wantKey,
} from "#lib/cluster/records.ts";
import type { Shared } from "#lib/store/shared.ts";
import { follow, until } from "#lib/store/shared-contract.ts";

const MAC = "02:00:00:00:00:0a" as Mac;

export const NODE: NodeRecord = {
  name: "alpha",
  uid: "5b2c",
  addresses: ["192.0.2.1" as Address, "2001:db8::1" as Address],
  mtuBytes: 1_500,
  segments: ["192.0.2.0/24" as Prefix, "2001:db8::/64" as Prefix],
  ways: ["direct", "vxlan", "wireguard"],
  tunnelAddresses: ["10.66.0.1" as Address],
  tunnelMac: MAC,
  wireguard: { publicKeys: ["bmV3", "b2xk"], port: 51_830 },
  echoPort: 4_796,
  version: "0.1.0",
};
export const BLOCK: BlockRecord = {
  pool: "default",
  prefix: "fd00:66::40/122" as Prefix,
  node: "alpha",
  uid: "5b2c",
  lent: Object.fromEntries([["fd00:66::41", { node: "beta", uid: "77" }]]),
  fixed: ["fd00:66::42" as Address],
  writes: 7,
};
export const FIXED: FixedRecord = {
  pool: "default",
  address: "10.66.0.9" as Address,
  name: "shop/web-0",
  node: "alpha",
  uid: "5b2c",
  mac: MAC,
  writes: 2,
};
const RESERVATION: ReservationRecord = {
  pool: "Pool_2",
  name: "shop/web-0",
  addresses: ["10.67.0.9" as Address],
  origin: "operator",
  sinceMs: 1_789_000_000_000,
};
const EGRESS: EgressRecord = {
  name: "bank",
  address: "198.51.100.7" as Address,
  holdSeconds: 30,
  sinceMs: 1_789_000_000_000,
  writes: 1,
};
const ENDPOINT: EndpointRecord = {
  network: "lan",
  node: "alpha",
  uid: "5b2c",
  mac: MAC,
  addresses: ["10.9.0.5" as Address],
  sinceMs: 1_789_000_000_000,
};
const WANT: WantRecord = { pool: "default", family: 4, node: "alpha", uid: "5b2c", round: 1, ahead: true };

export const RECORDS: readonly (readonly [key: string, record: object])[] = [
  [nodeKey(NODE.name), NODE],
  [blockKey(BLOCK.pool, BLOCK.prefix), BLOCK],
  [fixedKey(FIXED.pool, FIXED.address), FIXED],
  [reservationKey(RESERVATION.pool, RESERVATION.name), RESERVATION],
  [egressKey(EGRESS.address), EGRESS],
  [endpointKey(ENDPOINT), ENDPOINT],
  [wantKey(WANT.pool, WANT.family, WANT.node), WANT],
  ["edge/gw/history/000000001", { revision: 1 }],
];

/** They come back as they were put, a newer version's fields with them; a change of each is told. */
export async function keepsRecords(one: Shared, two: Shared): Promise<void> {
  using told = follow(two, "");
  await until("it follows", () => told.connections.length === 1);
  for (const [key, record] of RECORDS) {
    assert(await one.put(key, JSON.stringify(record), { if: "absent" }), key);
    assert.equal(await two.put(key, JSON.stringify(record), { if: "absent" }), undefined);
    const got = await two.get(key);
    assert.deepEqual(JSON.parse(got?.value ?? ""), record);
    const newer = { ...record, newer: { field: ["1"] } };
    assert(await two.put(key, JSON.stringify(newer), { if: got?.revision ?? "absent" }), key);
    assert.equal(await one.put(key, JSON.stringify(record), { if: got?.revision ?? "absent" }), undefined);
    await until(`${key} is told`, () => told.known.get(key)?.includes("newer") === true);
    assert.deepEqual(JSON.parse(told.known.get(key) ?? ""), newer);
  }
  const keys = RECORDS.map(([key]) => key).toSorted();
  assert.deepEqual(
    (await one.list("")).map(({ key }) => key),
    keys,
  );
  assert.deepEqual(
    (await one.list("fixed/default/")).map(({ key }) => key),
    [fixedKey(FIXED.pool, FIXED.address)],
  );
  for (const key of keys) assert.equal(await one.remove(key), true);
  await until("all are gone", () => told.known.size === 0);
}
