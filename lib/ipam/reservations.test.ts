import { expect, test } from "@jest/globals";
import { type Address, address, type Mac, mac } from "#lib/address.ts";
import { root } from "#lib/parse.ts";
import { ipam } from "./ipam.ts";
import { readPools } from "./read-pool.ts";
import type { ReservationWish } from "./reservation.ts";

const COOL_MS = 130_000;
const EPOCH = 1_760_000_000_000;
const POOLS = [{ name: "std", ranges: [[{ subnet: "10.1.0.0/29" }], [{ subnet: "fd00::/125" }]] }];

/** One clock that tests move by hand, and pools in which some reservations are declared. */
function node(declared: readonly ReservationWish[] = [], pools: unknown = POOLS) {
  const clock = { ms: EPOCH };
  const open = (reservations = declared) =>
    ipam({
      pools: readPools(root(pools, "pools")),
      reservations,
      coolDownMs: COOL_MS,
      nowMs: () => clock.ms,
      clockUs: () => clock.ms * 1_000,
    });
  const it = open();
  return {
    it,
    open,
    clock,
    add: (id: string, more: { pod?: string; keep?: boolean; requested?: Address[]; mac?: Mac } = {}) =>
      it.allocate({ key: key(id), pool: "std", ...more }).leases.map((lease) => lease.address),
    del: (id: string) => it.release(key(id)),
  };
}

const key = (id: string) => ({ containerId: id, ifname: "eth0" });
const wish = (name: string, ...addresses: string[]): ReservationWish => ({
  name,
  pool: "std",
  addresses: addresses.map((each) => address(each)),
});
const db = "default/db-0";

test("its owner gets it, at once and again; nobody else does, not even by name", () => {
  const { add, del } = node([wish(db, "10.1.0.2", "fd00::3")]);
  expect(add("a")).toEqual(["10.1.0.3", "fd00::2"]);
  expect(() => add("b", { requested: [address("10.1.0.2")] })).toThrow("10.1.0.2 is reserved for default/db-0");
  for (const id of ["c1", "c2"]) {
    expect(add(id, { pod: db })).toEqual(["10.1.0.2", "fd00::3"]);
    expect(() => add("b", { requested: [address("10.1.0.2")] })).toThrow(
      `10.1.0.2 is reserved for default/db-0, and held by container ${id} eth0 (pod default/db-0)`,
    );
    del(id);
  }
});

test("of sets without a reserved address its owner gets what is free", () => {
  const { add } = node([wish(db, "fd00::3")]);
  expect(add("c1", { pod: db })).toEqual(["10.1.0.2", "fd00::3"]);
});

test("a second holder is refused, naming the first, until the first ends", () => {
  const { it, add, del } = node([wish(db, "10.1.0.2")]);
  add("old", { pod: db });
  expect(() => add("new", { pod: db })).toThrow(
    expect.objectContaining({
      failure: { kind: "conflict", what: "10.1.0.2" },
      message: "pool std: 10.1.0.2 is reserved for default/db-0, but held by container old eth0 (pod default/db-0)",
    }),
  );
  expect(it.holders("std", db).map(({ containerId }) => containerId)).toEqual(["old"]);
  del("old");
  expect(add("new", { pod: db })).toContain("10.1.0.2");
  // The late DEL of the first does not touch the second.
  expect(del("old").leases).toEqual([]);
  expect(it.holders("std", db).map(({ containerId }) => containerId)).toEqual(["new"]);
});

test("exhaustion counts what is reserved apart from what is used", () => {
  const { add, it } = node([wish(db, "10.1.0.2"), wish("vm:a", "10.1.0.3")]);
  for (const id of ["a", "b", "c"]) add(id);
  expect(() => add("d")).toThrow(
    "pool std (IPv4): 3 of 5 used, 0 cooling down, 2 reserved, none will be free before a pod is deleted",
  );
  expect(it.usage()).toMatchObject([{ used: 6, cooling: 0, reserved: 2 }]);
  expect(add("vm", { pod: "vm:a" })).toContain("10.1.0.3");
  expect(it.usage()).toMatchObject([{ used: 8, cooling: 0, reserved: 1 }]);
});

test("the first ADD of a name that is to be kept makes the reservation, once it is ready", () => {
  const { it, add, del } = node();
  expect(add("c1", { pod: db, keep: true, mac: mac("02:00:00:00:00:05") })).toEqual(["10.1.0.2", "fd00::2"]);
  const made = it.keeping(key("c1"));
  expect(made).toMatchObject([
    { name: db, addresses: ["10.1.0.2", "fd00::2"], origin: "kept", mac: "02:00:00:00:00:05" },
  ]);
  it.kept(key("c1"));
  expect(it.keeping(key("c1"))).toEqual([]);
  del("c1");
  expect(add("x")).toEqual(["10.1.0.3", "fd00::3"]);
  const again = it.allocate({ key: key("c2"), pool: "std", pod: db, keep: true });
  expect(again.leases.map((lease) => lease.address)).toEqual(["10.1.0.2", "fd00::2"]);
  expect(again.mac).toBe("02:00:00:00:00:05");
  expect(it.keeping(key("c2"))).toEqual([]);
});

const ENDS: [what: string, end: "release" | "cancel", free: boolean][] = [
  ["is undone after it had begun", "release", false],
  ["was never stored", "cancel", true],
];
test.each(ENDS)("an ADD that %s keeps nothing", (_what, end, free) => {
  const { it, add } = node();
  add("c1", { pod: db, keep: true });
  it[end](key("c1"));
  expect(it.reservations()).toEqual([]);
  const again = () => add("x", { requested: [address("10.1.0.2")] });
  if (free) expect(again()).toContain("10.1.0.2");
  else expect(again).toThrow("cooling down");
});

test("what is released while its ADD is under way is not stored after all", () => {
  const { it, add, del } = node();
  add("c1", { pod: db, keep: true });
  it.unreserve(db);
  expect(it.keeping(key("c1"))).toEqual([]);
  it.reserve(wish(db));
  del("c1");
  expect(it.reservations()).toMatchObject([{ name: db, origin: "operator" }]);
});

test("what an operator keeps for a running pod is what the pod has", () => {
  const { it, add } = node();
  add("c0");
  add("c1", { pod: db });
  expect(it.reserve(wish(db)).reservation).toMatchObject({ addresses: ["10.1.0.3", "fd00::3"], origin: "operator" });
  expect(it.reserve(wish("vm:new")).reservation).toMatchObject({ addresses: ["10.1.0.4", "fd00::4"] });
  it.reserve({ ...wish("vm:new", "10.1.0.4"), mac: mac("02:00:00:00:00:04") });
  expect(it.reservations("std").map((each) => [each.name, each.mac])).toEqual([
    [db, undefined],
    ["vm:new", "02:00:00:00:00:04"],
  ]);
});

test("a reservation that cannot be stored is as if it had never been", () => {
  const { it, add } = node();
  const { undo } = it.reserve(wish(db, "10.1.0.2"));
  undo();
  expect(it.reservations()).toEqual([]);
  expect(add("a")[0]).toBe("10.1.0.2");
});

test("what was released cools down before anybody gets it", () => {
  const { it, add, clock } = node();
  it.reserve(wish(db, "10.1.0.2"));
  const { reservations, coolDowns } = it.unreserve(db);
  expect(reservations.map(({ name }) => name)).toEqual([db]);
  expect(coolDowns.map((each) => each.address)).toEqual(["10.1.0.2", "fd00::2"]);
  expect(() => add("a", { requested: [address("10.1.0.2")] })).toThrow("10.1.0.2 is cooling down for another 130 s");
  clock.ms += COOL_MS;
  expect(add("a", { requested: [address("10.1.0.2")] })).toContain("10.1.0.2");
});

test("what is released while a pod has it stays the pod's until its DEL", () => {
  const { it, add, del } = node();
  it.reserve(wish(db, "10.1.0.2"));
  add("c1", { pod: db });
  expect(it.unreserve(db).coolDowns).toEqual([]);
  expect(() => add("a", { requested: [address("10.1.0.2")] })).toThrow("is held by container c1");
  del("c1");
  expect(() => add("a", { requested: [address("10.1.0.2")] })).toThrow("is cooling down");
});

const REFUSED: [what: string, wish: ReservationWish, message: string][] = [
  ["another pool's address", wish("n", "10.9.0.1"), "pool std: 10.9.0.1 lies in none of its ranges"],
  ["a gateway", wish("n", "10.1.0.1"), "pool std: 10.1.0.1 is a gateway"],
  ["two of one set", wish("n", "10.1.0.4", "10.1.0.5"), "are of the same set of ranges"],
  ["another's", wish("n", "10.1.0.2"), "pool std: 10.1.0.2 is reserved for vm:a"],
  ["what a pod has", wish("n", "10.1.0.3"), "10.1.0.3 is held by container c1 eth0 (pod default/web-0)"],
  ["a second address", wish("vm:a", "10.1.0.5"), "pool std: vm:a has 10.1.0.2, fd00::2 reserved already, not 10.1.0.5"],
  ["a pool that is none", { ...wish("n"), pool: "sdt" }, 'pool: "sdt" is not a pool'],
  ["another's MAC", { ...wish("n"), mac: mac("02:00:00:00:00:0a") }, "mac: 02:00:00:00:00:0a is reserved for vm:a"],
];
test.each(REFUSED)("%s is refused", (_what, asked, message) => {
  const { it, add } = node();
  it.reserve({ ...wish("vm:a", "10.1.0.2"), mac: mac("02:00:00:00:00:0a") });
  add("c1", { pod: "default/web-0" });
  const before = it.reservations();
  expect(() => it.reserve(asked)).toThrow(message);
  expect(it.reservations()).toEqual(before);
});

test("who is refused an address is told which are free", () => {
  const { it } = node();
  it.reserve(wish("vm:a", "10.1.0.2"));
  expect(() => it.reserve(wish("n", "10.1.0.2"))).toThrow(
    expect.objectContaining({ hint: "Free: 10.1.0.3, fd00::3." }),
  );
});

test("an attachment cannot ask for what differs from its reservation", () => {
  const { it, add } = node();
  it.reserve({ ...wish(db, "10.1.0.2"), mac: mac("02:00:00:00:00:0a") });
  expect(() => add("c1", { pod: db, requested: [address("10.1.0.5")] })).toThrow(
    "10.1.0.5 was asked for, but default/db-0 has 10.1.0.2 reserved",
  );
  expect(() => add("c1", { pod: db, mac: mac("02:00:00:00:00:0b") })).toThrow(
    "mac: 02:00:00:00:00:0b was asked for, but default/db-0 has 02:00:00:00:00:0a reserved in pool std",
  );
  expect(add("c1", { pod: db, mac: mac("02:00:00:00:00:0a"), requested: [address("10.1.0.2")] })).toContain("10.1.0.2");
});

test("what the configuration declares is changed there alone", () => {
  const { it } = node([wish(db, "10.1.0.2")]);
  for (const change of [() => it.unreserve(db), () => it.reserve(wish(db))])
    expect(change).toThrow("pool std: the reservation of default/db-0 is declared in the daemon's configuration");
  expect(() => it.unreserve("nobody")).toThrow('name: nothing is reserved for "nobody"');
  expect(() => it.unreserve(db, "other")).toThrow('name: nothing is reserved for "default/db-0" in pool other');
});

test("the configuration cannot declare what its pools do not have, or one address twice", () => {
  expect(() => node([wish(db, "10.1.0.2"), wish("n", "10.9.0.1")])).toThrow(
    "reservations[1].addresses: pool std: 10.9.0.1 lies in none of its ranges",
  );
  expect(() => node([wish(db, "10.1.0.2"), wish("n", "10.1.0.2")])).toThrow(
    "reservations[1].addresses: pool std: 10.1.0.2 is reserved for default/db-0",
  );
});

test("a new daemon knows them all; what the configuration declares meanwhile wins", () => {
  const { it, open } = node();
  const saved = [wish("a", "10.1.0.2"), wish("b", "10.1.0.3"), wish("c", "10.1.0.4")].map(
    (each) => it.reserve(each).reservation,
  );
  const next = open([wish("a", "10.1.0.5"), wish("d", "10.1.0.3")]);
  const displaced = next.restore({ leases: [], coolDowns: [], pools: [], reservations: saved });
  expect(displaced.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(next.reservations().map(({ name, addresses, origin }) => [name, addresses[0], origin])).toEqual([
    ["a", "10.1.0.5", "declared"],
    ["d", "10.1.0.3", "declared"],
    ["c", "10.1.0.4", "operator"],
  ]);
});

test("a cool-down of the owner is none for the owner, over a restart", () => {
  const { it, open, add, del } = node();
  const { reservation } = it.reserve(wish("vm:db", "10.1.0.2"));
  add("c1", { pod: "vm:db" });
  const { coolDowns } = del("c1");
  const next = open();
  next.restore({ leases: [], coolDowns, pools: [], reservations: [reservation] });
  expect(next.usage()).toMatchObject([{ cooling: 0, reserved: 2 }]);
  expect(next.cooling()).toEqual([]);
  expect(next.allocate({ key: key("c2"), pool: "std", pod: "vm:db" }).ended).toEqual(coolDowns);
});
