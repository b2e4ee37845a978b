/** Random lives of a cluster: no address is ever held by two pods, nothing leaks, and exhaustion is told only when it is true. */
import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import { KEYS } from "#lib/cluster/records.ts";
import { isFailure } from "#lib/errors.ts";
import { readPools } from "#lib/ipam/read-pool.ts";
import { root } from "#lib/parse.ts";
import { sequence } from "#lib/store/contract.ts";
import { COOL_MS, GRACE_MS, LINGER_MS, rig } from "./rig.ts";
import type { Rig } from "./rig-parts.ts";

const POOLS = readPools(
  root(
    [
      {
        name: "std",
        ranges: [[{ subnet: "10.1.0.0/27" }], [{ subnet: "fd00::/123" }]],
        exclude: ["10.1.0.9"],
        blocks: { 4: 30, 6: 126 },
      },
    ],
    "pools",
  ),
);
/** 10.1.0.2 to .30 without .9, and fd00::2 to ::1f. */
const USABLE = 28;
const FIXED = { name: "ns/declared", pool: "std", addresses: [address("10.1.0.20"), address("fd00::14")] };
const NAMES = ["ns/declared", "ns/kept-0", "ns/kept-1", "vm:db"];

/** All that happens between the seed and the end. */
async function live(of: Rig, random: (below: number) => number, steps: number): Promise<void> {
  let pods = 0;
  const machine = () => of.machines()[random(of.machines().length)] ?? "";
  const pod = () => [...of.pods.keys()][random(of.pods.size || 1)] ?? "";
  const named = (name: string) => [...of.pods.values()].some((each) => each.name === name);
  for (const name of of.machines()) of.start(name);
  for (let step = 0; step < steps; step++) {
    await of.step();
    const chance = random(400);
    if (chance < 16) of.add(machine(), `p${++pods}`);
    else if (chance < 20) {
      const name = NAMES[random(NAMES.length)] ?? "";
      // A name's next pod starts when the last has ended; sometimes two nodes are told at once.
      const keep = name.includes("kept");
      if (!named(name)) for (let n = 0; n <= random(3) >> 1; n++) of.add(machine(), `p${++pods}`, { name, keep });
    } else if (chance < 21) of.add(machine(), `p${++pods}`, { requested: [address(`10.1.0.${2 + random(29)}`)] });
    else if (chance < 36) of.del(pod());
    else if (chance < 38) of.kill(machine());
    else if (chance < 44) of.start(machine());
    else if (chance < 46) of.cut(machine());
    else if (chance < 54) of.heal(machine());
    else if (chance === 54 && random(6) === 0) of.removeNode(machine());
    else if (chance === 55) of.relist(machine());
    else if (chance === 56) of.advance(random(2_000));
    else if (chance === 57) reserve(of, machine(), random);
    else if (chance === 58) void settled(of.blocksOf(machine())?.withdraw("std", "vm:db"));
  }
}

function reserve(of: Rig, name: string, random: (below: number) => number): void {
  const [ipam, blocks] = [of.ipamOf(name), of.blocksOf(name)];
  if (ipam === undefined || blocks === undefined || ipam.reservation("std", "vm:db") !== undefined) return;
  try {
    const { reservation, undo } = ipam.reserve({
      name: "vm:db",
      pool: "std",
      addresses: [address(`10.1.0.${2 + random(29)}`), address(`fd00::${(2 + random(29)).toString(16)}`)],
    });
    blocks.publish(reservation).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      undo();
    });
  } catch (error) {
    if (!isFailure(error)) throw error;
  }
}

const settled = async (work: Promise<void> | undefined): Promise<void> => {
  await work?.catch((error: unknown) => {
    if (!isFailure(error)) throw error;
  });
};

/** Everybody is there, and nothing hinders. */
async function peace(of: Rig): Promise<void> {
  for (const name of of.machines()) {
    of.heal(name);
    of.start(name);
    of.relist(name);
  }
  // What was fixed for a name rests, and then one node after another may forget it.
  await of.calm(GRACE_MS + REST_MS + 2 * TURN_MS * of.machines().length);
}

/** Of lib/daemon/blocks. */
const REST_MS = 10_000;
const TURN_MS = 5_000;

const familyOf = (each: Address) => (each.includes(":") ? 6 : 4);

/** Nodes ask until nobody gets anything: everything that may be given must be held then. */
async function fill(of: Rig): Promise<void> {
  let n = 0;
  for (let idle = 0; idle < 3; ) {
    const before = of.pods.size;
    for (const name of of.machines()) for (let i = 0; i < 6; i++) of.add(name, `fill${++n}`);
    await of.calm(4_000);
    idle = of.pods.size === before ? idle + 1 : 0;
  }
  const held = new Set(
    [...of.pods.values()].flatMap(({ addresses }) => addresses).filter((each) => familyOf(each) === 4),
  );
  const kept = [
    ...of.entries(KEYS.fixed).map(({ value }) => value.address as Address),
    ...of.entries(KEYS.reservations).flatMap(({ value }) => value.addresses as Address[]),
  ];
  const all = Array.from({ length: 29 }, (_, i) => address(`10.1.0.${i + 2}`)).filter((each) => each !== "10.1.0.9");
  expect(all).toHaveLength(USABLE);
  const declared: readonly Address[] = FIXED.addresses;
  const missing = all.filter((each) => !held.has(each) && !kept.includes(each) && !declared.includes(each));
  expect(missing).toEqual([]);
}

async function empty(of: Rig): Promise<void> {
  for (const id of [...of.pods.keys()]) of.del(id);
  for (const name of of.machines()) void settled(of.blocksOf(name)?.withdraw("std", "vm:db"));
  await of.calm(GRACE_MS + LINGER_MS + COOL_MS + 60_000);
  const blocks = of.entries(KEYS.blocks).map(({ value }) => value);
  expect(blocks.filter(({ lent }) => Object.keys(lent as object).length > 0)).toEqual([]);
  for (const name of of.machines())
    for (const family of [4, 6])
      expect(
        blocks.filter(({ node, prefix }) => node === name && familyOf(prefix as Address) === family).length,
      ).toBeLessThanOrEqual(1);
  expect(of.entries(KEYS.wants)).toEqual([]);
  expect(of.entries(KEYS.fixed).filter(({ value }) => value.node !== undefined)).toEqual([]);
  for (const name of of.machines()) {
    const shares = of.ipamOf(name)?.shares() ?? [];
    expect(shares.filter((share) => share.name !== undefined)).toEqual([]);
    const own = blocks.filter(({ node }) => node === name).map(({ prefix }) => prefix);
    expect(shares.map((share) => share.prefix).sort()).toEqual(own.sort());
  }
}

/** What every node makes of it, for whoever has to find out why. */
const picture = (of: Rig): string =>
  [
    ...of.entries("").map(({ key, value }) => `${key} ${JSON.stringify(value)}`),
    ...of.machines().flatMap((name) => {
      const ipam = of.ipamOf(name);
      return [
        `${name}: ${ipam
          ?.demands()
          .map(({ family, size, free }) => `IPv${family} ${free} of ${size} free`)
          .join(", ")}`,
        ...(ipam?.shares() ?? []).map((share) => `${name}: ${JSON.stringify(share)}`),
        ...(ipam?.leases() ?? []).map((lease) => `${name}: ${lease.address} ${lease.containerId} ${lease.pod ?? ""}`),
        ...(ipam?.reservations() ?? []).map((each) => `${name}: ${JSON.stringify(each)}`),
        ...(ipam?.cooling() ?? []).map((each) => `${name}: ${JSON.stringify(each)}`),
      ];
    }),
  ].join("\n");

const SEEDS = (process.env.SELVEDGE_SEEDS ?? "3,6,21,35").split(",").map(Number);
/** With seven there is a block for each, and one more: nearly everything is borrowed. */
const CLUSTERS: readonly (readonly string[])[] = [
  ["a", "b", "c"],
  ["a", "b", "c", "d", "e", "f", "g"],
];
const LIVES = CLUSTERS.flatMap((names) =>
  SEEDS.flatMap((seed) =>
    (["etcd", "Kubernetes"] as const).map((store) => [names.length, store, seed, names] as const),
  ),
);
const STEPS = Number(process.env.SELVEDGE_STEPS ?? 2_500);
/** Of the machine's time, which no step depends on: a few seconds each, and much longer beside other work. */
const LIMIT_MS = 600_000;

test.each(LIVES)(
  "%i nodes that meet in %s, seed %i",
  async (_count, store, seed, names) => {
    const random = sequence(seed * 7_919);
    const of = rig(POOLS, names, random, [FIXED], { isKubernetes: store === "Kubernetes" });
    try {
      await live(of, random, STEPS);
      await peace(of);
      await fill(of);
      await empty(of);
    } catch (error) {
      throw new Error(
        `seed ${seed}, at ${of.nowMs}:\n${of.log.slice(-60).join("\n")}\n${picture(of)}\n${(error as Error).stack}`,
      );
    }
  },
  LIMIT_MS,
);

test(
  "the same seed is the same life",
  async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(async () => {
        const random = sequence(7_919);
        const of = rig(POOLS, ["a", "b", "c"], random, [FIXED]);
        await live(of, random, 1_000);
        await peace(of);
        return of;
      }),
    );
    expect(one?.log.length).toBeGreaterThan(50);
    expect(one?.log).toEqual(other?.log);
    expect(one?.entries("")).toEqual(other?.entries(""));
  },
  LIMIT_MS,
);

test("there are lives", () => expect(LIVES.length).toBeGreaterThan(0));
