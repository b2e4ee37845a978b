import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { KEYS, nodeKey } from "#lib/cluster/records.ts";
import { readPools } from "#lib/ipam/read-pool.ts";
import { root } from "#lib/parse.ts";
import { sequence } from "#lib/store/contract.ts";
import { COOL_MS, GRACE_MS, LINGER_MS, rig } from "./rig.ts";
import type { Rig } from "./rig-parts.ts";

/** Blocks of 10.1.0.0/28 hold three, four, four and three addresses for pods. */
const POOLS = readPools(
  root([{ name: "std", ranges: [[{ subnet: "10.1.0.0/28" }]], blocks: { 4: 30, 6: 126 } }], "pools"),
);
const DB = { name: "ns/db-0", pool: "std", addresses: [address("10.1.0.9")] };

/** Two nodes or more that have joined, without any fault that is not asked for. */
async function cluster(...names: string[]): Promise<Rig> {
  const of = rig(POOLS, names, sequence(1), [DB]);
  of.faults = false;
  for (const name of names) of.start(name);
  await of.calm(1_000);
  return of;
}

const blocks = (of: Rig): string[] =>
  of
    .entries(KEYS.blocks)
    .map(({ value }) => `${value.prefix} ${value.node} ${Object.keys(value.lent as object).length}`);
const added = (of: Rig, id: string) => of.pods.get(id)?.addresses;
const refused = (of: Rig, id: string) => {
  const end = of.ended(id);
  return end instanceof Error ? end.message : end;
};

async function addAll(of: Rig, machine: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `${machine}${of.pods.size}-${i}`);
  for (const id of ids) of.add(machine, id);
  await of.calm(3_000);
  return ids;
}

test("each node has a block before anybody asks, and another before the first is full", async () => {
  const of = await cluster("a", "b");
  expect(blocks(of)).toHaveLength(2);
  expect(new Set(of.entries(KEYS.blocks).map(({ value }) => value.node))).toEqual(new Set(["a", "b"]));
  await addAll(of, "a", 3);
  expect(of.pods.size).toBe(3);
  expect(of.entries(KEYS.blocks).filter(({ value }) => value.node === "a")).toHaveLength(2);
});

test("what is not used any more is given back, but not at once, and one block stays", async () => {
  const of = await cluster("a");
  const ids = await addAll(of, "a", 9);
  expect(blocks(of).length).toBeGreaterThanOrEqual(3);
  for (const id of ids) of.del(id);
  await of.calm(COOL_MS);
  expect(blocks(of).length).toBeGreaterThanOrEqual(3);
  await of.calm(COOL_MS + 2 * LINGER_MS + 1_000);
  expect(blocks(of)).toHaveLength(1);
});

test("a node whose blocks are full borrows from others, and exhaustion is told in blocks when nothing is left at all", async () => {
  const of = await cluster("a", "b");
  await addAll(of, "a", 12);
  expect(of.pods.size).toBe(12);
  of.add("a", "more");
  await of.calm(4_000);
  expect(refused(of, "more")).toMatch(/^pool std \(IPv4\): 4 blocks, 3 of this node full, none free, [1-4] borrowed$/);
  expect(of.ended("more")).toMatchObject({ failure: { kind: "pool-exhausted", pool: "std" } });
  for (const id of [...of.pods.keys()]) of.del(id);
  await of.calm(COOL_MS + 4 * LINGER_MS + 2_000);
  expect(of.entries(KEYS.blocks).every(({ value }) => Object.keys(value.lent as object).length === 0)).toBe(true);
});

test("what comes free while a runtime is about to try a pod again is kept for it", async () => {
  const of = await cluster("a", "b", "c");
  for (const name of ["a", "b", "c"]) await addAll(of, name, 4);
  const all = [...of.pods.values()];
  expect(all).toHaveLength(12);
  of.add("a", "early", { name: "ns/late" });
  await of.calm(3_000);
  expect(refused(of, "early")).toMatch(/none free/);
  of.del(all.find(({ machine }) => machine === "b")?.id ?? "");
  await of.calm(3_000);
  of.add("c", "other", { name: "ns/other" });
  await of.calm(3_000);
  expect(refused(of, "other")).toMatch(/none free/);
  of.add("a", "again", { name: "ns/late" });
  await of.calm(250);
  expect(refused(of, "again")).toBe("added");
});

test("what comes free for a pod that is not tried again goes to another", async () => {
  const of = await cluster("a", "b");
  await addAll(of, "a", 7);
  await addAll(of, "b", 5);
  const [first] = of.pods.keys();
  expect(of.pods.size).toBe(12);
  of.add("a", "never", { name: "ns/never" });
  await of.calm(3_000);
  of.del(first ?? "");
  await of.calm(20_000);
  of.add("b", "other");
  await of.calm(3_000);
  expect(refused(of, "other")).toBe("added");
});

test("what is borrowed goes to the next who wants it, whether or not its owner's daemon runs", async () => {
  const of = await cluster("a", "b", "c");
  await addAll(of, "b", 2);
  await addAll(of, "c", 2);
  await addAll(of, "a", 8);
  const borrowed = [...of.pods.values()].find(({ machine, addresses: [first] }) =>
    of.entries(KEYS.blocks).some(({ value }) => machine === "a" && first !== undefined && first in Object(value.lent)),
  );
  const [address] = borrowed?.addresses ?? [];
  const [lender] = of
    .entries(KEYS.blocks)
    .filter(({ value }) => address !== undefined && address in Object(value.lent));
  const owner = String(lender?.value.node);
  of.kill(owner);
  of.del(borrowed?.id ?? "");
  await of.calm(COOL_MS);
  const other = owner === "b" ? "c" : "b";
  of.add(other, "next");
  await of.calm(3_000);
  expect(added(of, "next")).toEqual([address]);
});

test("a want for a pod that waits is repeated often, one for the next pod ever more seldom", async () => {
  const of = await cluster("a", "b");
  await addAll(of, "a", 7);
  await addAll(of, "b", 5);
  await of.calm(60_000);
  const rounds = () => of.entries(KEYS.wants).map(({ value }) => Number(value.round));
  const before = rounds();
  expect(before).toHaveLength(2);
  await of.calm(60_000);
  expect(rounds().map((round, i) => round - (before[i] ?? 0))).toEqual([4, 4]);
});

test("of two nodes that each have the last address of one family, one gives its own to the other, and a pod has both", async () => {
  const pools = readPools(
    root(
      [
        {
          name: "std",
          ranges: [[{ subnet: "10.1.0.0/29" }], [{ subnet: "fd00::/125" }]],
          // The first blocks are left one and two addresses, the second ones two and one.
          exclude: ["10.1.0.3", "10.1.0.6", "fd00::5", "fd00::6", "fd00::7"],
          blocks: { 4: 30, 6: 126 },
        },
      ],
      "pools",
    ),
  );
  const of = rig(pools, ["a", "b"], sequence(1));
  of.faults = false;
  for (const name of of.machines()) of.start(name);
  await of.calm(1_000);
  for (const name of of.machines()) of.add(name, `${name}-first`);
  await of.calm(1_000);
  expect(of.pods.size).toBe(2);
  expect(
    of.machines().map((name) =>
      of
        .ipamOf(name)
        ?.demands()
        .map(({ free }) => free),
    ),
  ).toEqual([
    [0n, 1n],
    [1n, 0n],
  ]);
  for (const name of of.machines()) of.add(name, `${name}-last`);
  await of.calm(4_000);
  expect(of.pods.size).toBe(3);
});

test("while the store is away pods come and go within the node's own blocks, and nothing is taken or given back", async () => {
  const of = await cluster("a", "b");
  const before = blocks(of);
  of.cut("a");
  of.cut("b");
  await addAll(of, "a", 2);
  await addAll(of, "b", 2);
  expect(of.pods.size).toBe(4);
  await addAll(of, "a", 6);
  const reasons = [...Array(6).keys()].map((i) => refused(of, `a4-${i}`)).filter((each) => each !== "added");
  expect(reasons[0]).toMatch(/none can be taken|no other can be taken while the shared store is away/);
  for (const id of [...of.pods.keys()]) of.del(id);
  await of.calm(10 * LINGER_MS);
  expect(blocks(of)).toEqual(before);
});

test("a daemon that starts while the store is away gives from what it had", async () => {
  const of = await cluster("a", "b");
  of.kill("a");
  of.cut("a");
  of.start("a");
  await of.calm(500);
  await addAll(of, "a", 1);
  expect(of.pods.size).toBe(1);
});

test("a dead node keeps its blocks until it was removed, is not heard of, and the grace is over", async () => {
  const of = await cluster("a", "b");
  const own = blocks(of).filter((each) => each.includes(" b "));
  expect(own).toHaveLength(1);
  of.kill("b");
  of.cut("b");
  await of.calm(3 * GRACE_MS);
  expect(blocks(of)).toEqual(expect.arrayContaining(own));
  of.removeNode("b");
  await of.calm(GRACE_MS - 1_000);
  expect(blocks(of)).toEqual(expect.arrayContaining(own));
  await of.calm(GRACE_MS + 10_000);
  expect(blocks(of).filter((each) => each.includes(" b "))).toEqual([]);
});

test("a list that comes anew begins the grace anew", async () => {
  const of = await cluster("a", "b");
  of.removeNode("b");
  for (let i = 0; i < 5; i++) {
    await of.calm(GRACE_MS - 1_000);
    of.relist("a");
  }
  expect(blocks(of).filter((each) => each.includes(" b "))).toHaveLength(1);
  await of.calm(GRACE_MS + 10_000);
  expect(blocks(of).filter((each) => each.includes(" b "))).toEqual([]);
});

test("a machine that takes over a name is another node: it does not have the block of the one before", async () => {
  const of = await cluster("a", "b");
  const [before] = of.entries(KEYS.blocks).filter(({ value }) => value.node === "b");
  of.removeNode("b");
  of.start("b");
  await of.calm(1_000);
  const uids = of.entries(KEYS.blocks).filter(({ value }) => value.node === "b");
  expect(uids.map(({ value }) => value.uid).sort()).toEqual([before?.value.uid, "b-3"].sort());
  await of.calm(GRACE_MS + 10_000);
  expect(of.entries(KEYS.blocks).filter(({ value }) => value.uid === before?.value.uid)).toEqual([]);
});

test("a block that was taken away is not given from any more; what pods have of it stays theirs", async () => {
  const of = await cluster("a", "b");
  const [id] = await addAll(of, "a", 1);
  of.cut("a");
  // A person has declared the node gone although it lives: what no node does without proof.
  of.takeAway("a", "b");
  of.heal("a");
  await of.calm(500);
  expect(of.log.filter((line) => line.includes("block-lost"))).toHaveLength(1);
  const lost = added(of, id ?? "");
  expect(
    of
      .ipamOf("a")
      ?.leases()
      .map((lease) => lease.address),
  ).toEqual(lost);
  expect(of.ipamOf("a")?.isOurs("std", lost?.[0] ?? address("10.1.0.1"))).toBe(false);
  await addAll(of, "a", 2);
  expect(of.pods.size).toBe(3);
});

test("of two nodes that start a name at once one gets its address, and the other is told where it is", async () => {
  const of = await cluster("a", "b");
  of.add("a", "one", { name: DB.name });
  of.add("b", "two", { name: DB.name });
  await of.calm(5_000);
  const [winner, loser] = of.pods.has("one") ? ["one", "two"] : ["two", "one"];
  expect(added(of, winner)).toEqual(["10.1.0.9"]);
  expect(refused(of, loser)).toMatch(
    new RegExp(`^pool std: 10.1.0.9 is fixed for ns/db-0, which is on node ${winner === "one" ? "a" : "b"} still$`),
  );
  expect(of.ended(loser)).toMatchObject({ failure: { kind: "not-ready" } });
  of.del(winner);
  await of.calm(1_000);
  of.add(loser === "one" ? "a" : "b", "again", { name: DB.name });
  await of.calm(1_000);
  expect(added(of, "again")).toEqual(["10.1.0.9"]);
});

test("the address of a pod that died with its node moves when the node is gone for good, and not before", async () => {
  const of = await cluster("a", "b", "c");
  of.add("a", "one", { name: DB.name });
  await of.calm(1_000);
  of.removeNode("a");
  of.add("b", "early", { name: DB.name });
  await of.calm(GRACE_MS - 1_000);
  expect(refused(of, "early")).toBe("pool std: 10.1.0.9 is fixed for ns/db-0, which is on node a still");
  await of.calm(GRACE_MS + 10_000);
  of.add("b", "late", { name: DB.name });
  await of.calm(1_000);
  expect(added(of, "late")).toEqual(["10.1.0.9"]);
});

test("an address that another pod has is left to its name when that pod ends", async () => {
  const of = await cluster("a", "b");
  const ids = await addAll(of, "a", 3);
  const [taken] = added(of, ids[0] ?? "") ?? [];
  const reservation = { name: "vm:db", pool: "std", addresses: [taken ?? address("10.1.0.1")] } as const;
  const made = of.ipamOf("b")?.reserve(reservation);
  await Promise.all([made && of.blocksOf("b")?.publish(made.reservation), of.calm(1_000)]);
  of.add("b", "vm", { name: "vm:db" });
  await of.calm(4_000);
  expect(refused(of, "vm")).toBe(
    `pool std: ${taken} is fixed for vm:db, but node a has not made room for it: another pod may have it there`,
  );
  of.del(ids[0] ?? "");
  await of.calm(1_000);
  of.add("b", "vm2", { name: "vm:db" });
  await of.calm(1_000);
  expect(added(of, "vm2")).toEqual([taken]);
});

test("a reservation that one node makes is known on all, and to those who were not there", async () => {
  const of = await cluster("a", "b");
  of.kill("b");
  of.add("a", "kept", { name: "ns/web-0", keep: true });
  await of.calm(1_000);
  const first = added(of, "kept");
  of.del("kept");
  await of.calm(1_000);
  of.start("b");
  await of.calm(1_000);
  of.add("b", "moved", { name: "ns/web-0", keep: true });
  await of.calm(1_000);
  expect(added(of, "moved")).toEqual(first);
  await Promise.all([of.blocksOf("a")?.withdraw("std", "ns/web-0"), of.calm(1_000)]);
  expect(of.ipamOf("b")?.reservation("std", "ns/web-0")).toBeUndefined();
  of.del("moved");
  await of.calm(60_000);
  expect(of.entries(KEYS.fixed)).toEqual([]);
});

test("nodes are told apart in the list of blocks, and counted together", async () => {
  const of = await cluster("a", "b");
  await addAll(of, "a", 1);
  const list = of.blocksOf("a")?.list() ?? [];
  expect(list.map(({ node, use }) => [node, use?.used])).toEqual(
    expect.arrayContaining([
      ["a", 1],
      ["b", undefined],
    ]),
  );
  expect([of.blocksOf("a")?.taken("std"), of.blocksOf("a")?.taken("other")]).toEqual([blocks(of).length, 0]);
  expect(of.entries(nodeKey("a"))).toHaveLength(1);
});

/** `std` and one more, which nodes may hear of at other times. */
const MORE = readPools(
  root(
    [
      { name: "std", ranges: [[{ subnet: "10.1.0.0/28" }]], blocks: { 4: 30, 6: 126 } },
      { name: "late", ranges: [[{ subnet: "10.2.0.0/28" }]], blocks: { 4: 30, 6: 126 } },
    ],
    "pools",
  ),
);
const late = (of: Rig): string[] => blocks(of).filter((each) => each.startsWith("10.2."));

test("of a pool that comes while it runs each node takes a block, whichever hears of it first", async () => {
  const of = await cluster("a", "b");
  for (const name of ["a", "b"]) {
    of.ipamOf(name)?.setPools(MORE);
    of.blocksOf(name)?.setPools(MORE, new Set());
    await of.calm(1_000);
  }
  expect(
    late(of)
      .map((each) => each.split(" ")[1])
      .toSorted(),
  ).toEqual(["a", "b"]);
});

test("of a pool that is leaving what nobody uses is given back at once, and nothing more is taken", async () => {
  const of = rig(MORE, ["a"], sequence(1));
  of.faults = false;
  of.start("a");
  await of.calm(1_000);
  expect(late(of)).toHaveLength(1);
  const key = { containerId: "c", ifname: "eth0" };
  const [{ address: taken } = { address: "" }] = of.ipamOf("a")?.allocate({ key, pool: "late" }).leases ?? [];
  expect(taken).toMatch(/^10\.2\./);
  of.blocksOf("a")?.setPools(MORE, new Set(["late"]));
  await of.calm(1_000);
  expect(late(of)).toHaveLength(1);
  of.ipamOf("a")?.cancel(key);
  await of.calm(1_000);
  expect(late(of)).toEqual([]);
  await of.calm(LINGER_MS);
  expect([late(of), of.ipamOf("a")?.shares("late")]).toEqual([[], []]);
  expect(blocks(of)).toHaveLength(1);
});
