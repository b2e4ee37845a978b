import { expect, test } from "@jest/globals";
import { type Address, address, prefix } from "#lib/address.ts";
import { root } from "#lib/parse.ts";
import { ipam, type Saved } from "./ipam.ts";
import { readNetworkIpam } from "./network-pool.ts";
import type { Pool } from "./pool.ts";
import { readPools } from "./read-pool.ts";

const COOL_MS = 130_000;
const EPOCH = 1_760_000_000_000;

/** Two clocks that tests move by hand, and the tested thing with one pool `std` unless others are given. */
function node(pools: unknown = [{ name: "std", ranges: [[{ subnet: "10.1.0.0/29" }]] }]) {
  const clock = { monotonicMs: 5_000, wallMs: EPOCH };
  const open = () =>
    ipam({
      pools: readPools(root(pools, "pools")),
      coolDownMs: COOL_MS,
      nowMs: () => clock.wallMs,
      clockUs: () => clock.monotonicMs * 1_000,
    });
  const it = open();
  return {
    it,
    open,
    clock,
    pass(ms: number) {
      clock.monotonicMs += ms;
      clock.wallMs += ms;
    },
    add: (id: string, more: { pool?: string | Pool; requested?: Address[]; pod?: string } = {}) =>
      it.allocate({ key: key(id), pool: "std", ...more }).leases.map((lease) => lease.address),
    del: (id: string) => it.release(key(id)).leases.map((lease) => lease.address),
  };
}

const key = (id: string) => ({ containerId: id, ifname: "eth0" });
const networkPool = (name: string, block: unknown): Pool => {
  const { pool } = readNetworkIpam(name, root(block, "ipam"));
  if (pool === undefined || typeof pool === "string") throw new Error("the block brings no ranges");
  return pool;
};

test("ascending from the first, without the gateway, until the size; the refusal counts", () => {
  const { it, add, del, pass } = node();
  expect(["a", "b", "c", "d", "e"].flatMap((id) => add(id))).toEqual([
    "10.1.0.2",
    "10.1.0.3",
    "10.1.0.4",
    "10.1.0.5",
    "10.1.0.6",
  ]);
  expect(() => add("f")).toThrow("pool std: 5 of 5 used, 0 cooling down, none will be free before a pod is deleted");
  del("c");
  pass(89_000);
  del("b");
  const refused = { failure: { kind: "pool-exhausted", pool: "std", freeInMs: 41_000 } };
  expect(() => it.mustHaveFree("std")).toThrow(expect.objectContaining(refused));
  expect(() => add("f")).toThrow("pool std: 5 of 5 used, 2 cooling down, next free in 41 s");
  pass(41_000);
  expect(add("f")).toEqual(["10.1.0.4"]);
});

test("the address has its subnet's length and gateway", () => {
  const { it } = node();
  const { leases, addresses, ended, pools } = it.allocate({ key: key("a"), pool: "std", pod: "ns/web" });
  expect(leases).toEqual([{ ...key("a"), pool: "std", address: "10.1.0.2", pod: "ns/web", sinceMs: EPOCH }]);
  expect(addresses).toEqual([{ address: "10.1.0.2/29", gateway: "10.1.0.1" }]);
  expect([ended, pools]).toEqual([[], []]);
});

test("never-used addresses come first, then the longest released", () => {
  const { add, del, pass } = node();
  for (const id of ["a", "b", "c"]) add(id);
  del("b");
  pass(1);
  del("a");
  pass(COOL_MS);
  expect(["d", "e", "f", "g"].flatMap((id) => add(id))).toEqual(["10.1.0.5", "10.1.0.6", "10.1.0.3", "10.1.0.2"]);
});

test("reuse says which stored cool-down has ended", () => {
  const { it, add, del, pass } = node([{ name: "std", ranges: [[{ subnet: "10.1.0.0/30" }]] }]);
  add("a");
  del("a");
  pass(COOL_MS);
  expect(it.allocate({ key: key("b"), pool: "std" }).ended).toEqual([
    { pool: "std", address: "10.1.0.2", releasedMs: EPOCH, untilMs: EPOCH + COOL_MS },
  ]);
});

test("the same key gets the same leases; with other wishes it is a conflict", () => {
  const { it, add } = node();
  expect([add("a"), add("a"), add("b")]).toEqual([["10.1.0.2"], ["10.1.0.2"], ["10.1.0.3"]]);
  expect(() => add("a", { requested: [address("10.1.0.6")] })).toThrow(
    "container a eth0 already holds 10.1.0.2 of pool std",
  );
  expect(it.leases()).toHaveLength(2);
});

test("release of a key that holds nothing does nothing", () => {
  const { it } = node();
  expect(it.release(key("nobody"))).toEqual({ leases: [], coolDowns: [] });
});

test("two families: one of each or none, and the refusal names the family", () => {
  const { it, add } = node([{ name: "std", ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "fd00::/126" }]] }]);
  expect([add("a"), add("b")]).toEqual([
    ["10.1.0.2", "fd00::2"],
    ["10.1.0.3", "fd00::3"],
  ]);
  expect(() => add("c")).toThrow("pool std (IPv6): 2 of 2 used, 0 cooling down");
  expect(it.leases()).toHaveLength(4);
  expect(it.usage()).toEqual([
    { name: "std", ranges: ["10.1.0.1-10.1.0.254", "fd00::1-fd00::3"], size: 255n, used: 4, cooling: 0, reserved: 0 },
  ]);
});

test("one family of a pool by itself; the other may come from another pool, and one release ends both", () => {
  const both = (n: number) => [[{ subnet: `10.${n}.0.0/30` }], [{ subnet: `fd0${n}::/64` }]];
  const { it } = node([
    { name: "a", ranges: both(1) },
    { name: "b", ranges: both(2) },
  ]);
  const of = (pool: string, family: 4 | 6) =>
    it.allocate({ key: key("c"), pool, families: [family] }).leases.map(({ address }) => address);
  expect(of("b", 4)).toEqual(["10.2.0.2"]);
  expect(of("a", 6)).toEqual(["fd01::2"]);
  expect(of("b", 4)).toEqual(["10.2.0.2"]);
  expect(() => of("a", 4)).toThrow("already holds 10.2.0.2 of pool b");
  expect(() => it.mustHaveFree("b", 4)).toThrow("pool b (IPv4): 1 of 1 used");
  it.mustHaveFree("b", 6);
  it.release(key("c"));
  expect(it.leases()).toEqual([]);
});

test("the ranges of a set are tried in turn, in the order written", () => {
  const { add } = node([{ name: "std", ranges: [[{ subnet: "10.2.0.0/30" }, { subnet: "10.1.0.0/30" }]] }]);
  expect([add("a"), add("b")]).toEqual([["10.2.0.2"], ["10.1.0.2"]]);
});

test("asked for by name: with and without length, and excluded ones", () => {
  const { it, add } = node([
    { name: "std", ranges: [[{ subnet: "10.1.0.0/29" }]], exclude: ["10.1.0.2", "10.1.0.4/31"] },
  ]);
  const ask = (id: string, ...requested: (Address | ReturnType<typeof prefix>)[]) =>
    it.allocate({ key: key(id), pool: "std", requested }).leases.map((lease) => lease.address);
  expect(ask("a", prefix("10.1.0.4/29"))).toEqual(["10.1.0.4"]);
  expect(ask("b", prefix("10.1.0.5/32"))).toEqual(["10.1.0.5"]);
  expect([add("c"), add("d")]).toEqual([["10.1.0.3"], ["10.1.0.6"]]);
  expect(() => add("e")).toThrow("pool std: 2 of 2 used");
  const refused: [string, string][] = [
    ["10.1.0.4", "pool std: 10.1.0.4 is held by container a eth0"],
    ["10.1.0.1", "pool std: 10.1.0.1 is a gateway"],
    ["10.1.0.7", "pool std: 10.1.0.7 lies in none of its ranges (10.1.0.1-10.1.0.6)"],
    ["fd00::5", "pool std: fd00::5 lies in none of its ranges"],
  ];
  for (const [asked, message] of refused) expect(() => ask("e", address(asked))).toThrow(message);
  expect(() => ask("e", prefix("10.1.0.2/24"))).toThrow("was asked for with length /24, but its subnet is 10.1.0.0/29");
  expect(() => ask("e", address("10.1.0.2"), address("10.1.0.3"))).toThrow("are of the same set of ranges");
});

test("a cooling address is refused by name, except to the pod that had it", () => {
  const { add, del, pass } = node();
  add("a", { pod: "ns/db-0" });
  del("a");
  pass(30_000);
  const requested = [address("10.1.0.2")];
  expect(() => add("b", { requested })).toThrow("pool std: 10.1.0.2 is cooling down for another 100 s");
  expect(() => add("b", { requested, pod: "ns/db-1" })).toThrow("is cooling down");
  expect(add("b", { requested, pod: "ns/db-0" })).toEqual(["10.1.0.2"]);
});

test("a cancelled allocation costs no cool-down, unless it cut one short", () => {
  const { it, add, del } = node();
  add("a", { pod: "ns/db-0" });
  it.cancel(key("a"));
  expect(it.cooling()).toEqual([]);
  expect(it.leases()).toEqual([]);
  expect(add("b", { requested: [address("10.1.0.2")], pod: "ns/db-0" })).toEqual(["10.1.0.2"]);
  del("b");
  add("c", { requested: [address("10.1.0.2")], pod: "ns/db-0" });
  it.cancel(key("c"));
  expect(it.cooling()).toMatchObject([{ address: "10.1.0.2", remainingMs: COOL_MS }]);
});

test("missing tells of given addresses that are not leased to the key", () => {
  const { it, add, del } = node();
  add("a");
  expect(it.missing([key("a")], [address("10.1.0.2")])).toEqual([]);
  del("a");
  expect(it.missing([key("a")], [address("10.1.0.2")])).toEqual(["+ lease 10.1.0.2 for container a eth0"]);
});

test("an unknown pool is named with those that are known", () => {
  expect(() => node().add("a", { pool: "media" })).toThrow(
    'pool: "media" is not a pool of the daemon\'s configuration; known: std',
  );
});

const jumps: [what: string, byMs: number, remainingMs: number][] = [
  ["no jump", 0, 130_000],
  ["some time passed while the daemon was away", 30_000, 100_000],
  ["forward past the end", 10_000_000, 0],
  ["back by a year", -31_536_000_000, 130_000],
];
test("pools come and go; who has an address of one that went keeps it, and it is nobody else's", () => {
  const { it, add, del } = node();
  const late = { name: "late", ranges: [[{ subnet: "10.2.0.0/29" }]] };
  const std = { name: "std", ranges: [[{ subnet: "10.1.0.0/29" }]] };
  it.setPools(readPools(root([std, late], "pools")));
  expect([...add("a"), ...add("b", { pool: "late" })]).toEqual(["10.1.0.2", "10.2.0.2"]);
  it.setPools(readPools(root([std], "pools")));
  expect(() => add("c", { pool: "late" })).toThrow("not a pool of the daemon's configuration; known: std");
  expect(it.leases("late").map(({ address }) => address)).toEqual(["10.2.0.2"]);
  expect(it.subnets()).toEqual(["10.1.0.0/29", "10.2.0.0/29"]);
  it.setPools(readPools(root([std, late], "pools")));
  expect(add("c", { pool: "late" })).toEqual(["10.2.0.3"]);
  del("b");
  del("c");
  it.setPools(readPools(root([std], "pools")));
  expect([it.cooling("late").length, it.subnets()]).toEqual([2, ["10.1.0.0/29"]]);
});

test.each(jumps)("a stored cool-down after %s", (_what, byMs, remainingMs) => {
  const { it, open, clock, add } = node();
  add("a");
  const saved: Saved = { leases: [], coolDowns: it.release(key("a")).coolDowns, pools: [], reservations: [] };
  clock.wallMs += byMs;
  const next = open();
  next.restore(saved);
  expect(next.cooling().map((each) => each.remainingMs)).toEqual(remainingMs === 0 ? [] : [remainingMs]);
});

test("a running cool-down does not see the wall clock jump", () => {
  const { it, clock, add, del } = node();
  add("a");
  del("a");
  clock.wallMs += 10_000_000;
  expect(it.cooling()).toMatchObject([{ address: "10.1.0.2", remainingMs: COOL_MS }]);
});

test("a network that comes with other ranges keeps its leases, and no address is given twice", () => {
  const { it, open, pass } = node();
  const small = networkPool("web", { subnet: "10.9.0.0/29" });
  const moved = networkPool("web", { subnet: "10.9.0.0/24", rangeStart: "10.9.0.4" });
  const first = ["a", "b", "c"].map((id) => it.allocate({ key: key(id), pool: small }));
  expect(first.map((each) => each.pools.length)).toEqual([1, 0, 0]);
  expect(first.flatMap((each) => each.leases.map((lease) => lease.address))).toEqual([
    "10.9.0.2",
    "10.9.0.3",
    "10.9.0.4",
  ]);
  const after = it.allocate({ key: key("d"), pool: moved });
  expect(after.leases.map((lease) => lease.address)).toEqual(["10.9.0.5"]);
  expect(after.pools.map((pool) => pool.name)).toEqual(["net:web"]);
  expect(() => it.allocate({ key: key("e"), pool: small, requested: [address("10.9.0.5")] })).toThrow("is held by");

  const again = open();
  again.restore({ leases: it.leases(), coolDowns: [], pools: after.pools, reservations: [] });
  expect(again.usage().find((pool) => pool.name === "net:web")).toMatchObject({ used: 4, size: 251n });
  expect(again.allocate({ key: key("a"), pool: small }).leases.map((lease) => lease.address)).toEqual(["10.9.0.2"]);
  expect(again.allocate({ key: key("e"), pool: moved })).toMatchObject({
    leases: [{ address: "10.9.0.6" }],
    pools: [],
  });
  expect(again.subnets()).toEqual(["10.1.0.0/29", "10.9.0.0/24"]);

  for (const id of ["a", "b", "c", "d", "e"]) again.release(key(id));
  expect(again.sweep()).toEqual({ coolDowns: [], pools: [] });
  pass(COOL_MS);
  const swept = again.sweep();
  expect([swept.coolDowns.length, swept.pools]).toEqual([5, ["net:web"]]);
  expect(again.subnets()).toEqual(["10.1.0.0/29"]);
});

test("two networks with one range are strangers", () => {
  const { it } = node();
  const given = ["web", "db"].map((name) =>
    it.allocate({ key: key(name), pool: networkPool(name, { subnet: "10.9.0.0/24" }) }),
  );
  expect(given.map((each) => each.leases[0]?.address)).toEqual(["10.9.0.2", "10.9.0.2"]);
});

test("a /16 fills to the last address and gives every one back", () => {
  const { it, add, pass } = node([{ name: "std", ranges: [[{ subnet: "10.0.0.0/16" }]] }]);
  const given = new Set(Array.from({ length: 65_533 }, (_, i) => add(`c${i}`)[0]));
  expect(given.size).toBe(65_533);
  expect(() => add("one more")).toThrow("pool std: 65533 of 65533 used");
  for (let i = 0; i < 65_533; i++) it.release(key(`c${i}`));
  pass(COOL_MS);
  expect(it.usage()).toMatchObject([{ used: 0, cooling: 0, nextFreeMs: 0 }]);
  expect([add("x"), add("y")]).toEqual([["10.0.0.2"], ["10.0.0.3"]]);
});

test("a /64 remembers few of the addresses that it gave, and goes on to new ones", () => {
  const { it, add, del, pass } = node([{ name: "std", ranges: [[{ subnet: "fd00::/64" }]] }]);
  for (let i = 0; i < 5_000; i++) {
    add(`c${i}`);
    del(`c${i}`);
  }
  pass(COOL_MS);
  expect(it.sweep().coolDowns).toHaveLength(5_000 - 4_096);
  expect(add("x")).toEqual(["fd00::138a"]);
});

test("the tables have cases", () => expect(jumps.length).toBeGreaterThan(0));
