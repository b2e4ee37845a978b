/**
 * What every shared store does, as cases that any test can take: each begins with a store that holds nothing, and makes
 * its own clients and troubles.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isFailure } from "#lib/errors.ts";
import { sequence } from "./contract.ts";
import type { Entry, PutOptions, Revision, Shared, SharedChange } from "./shared.ts";

export interface ContractClient extends Shared {
  /** It alone does not reach the store. */
  cut(): void;
  heal(): void;
}

export interface World {
  /** A further client, whose silence is noticed after `livenessSeconds`. */
  open(): Promise<ContractClient>;
  readonly livenessSeconds: number;
  /** What changed until now is forgotten by all that have not seen it. */
  compact(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What a watch has told. */
export interface Follower extends Disposable {
  /** By key: what the changes amount to. */
  readonly known: ReadonlyMap<string, string>;
  readonly changes: readonly SharedChange[];
  readonly connections: readonly boolean[];
  readonly done: Promise<void>;
}

export function follow(shared: Shared, prefix: string): Follower {
  const ends = new AbortController();
  const known = new Map<string, string>();
  const changes: SharedChange[] = [];
  const connections: boolean[] = [];
  const take = (change: SharedChange): void => {
    assert(!ends.signal.aborted, "a change was told after the end");
    changes.push(change);
    if ("all" in change) known.clear();
    for (const { key, value } of "all" in change ? change.all : "put" in change ? [change.put] : [])
      known.set(key, value);
    if ("remove" in change) known.delete(change.remove);
  };
  const done = shared.watch(prefix, take, ends.signal, (connected) => void connections.push(connected));
  return { known, changes, connections, done, [Symbol.dispose]: () => ends.abort() };
}

/** Waits until it holds; what it was waiting for is in the error. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await holds())) {
    assert(performance.now() < endMs, `not within ${withinMs} ms: ${what}`);
    await sleep(10);
  }
}

const told = (entries: readonly Entry[]): [string, string][] => entries.map(({ key, value }) => [key, value]);
const failsAsStore = (error: unknown): boolean => isFailure(error, "store") && error.message !== "";
/** The changes after the first `all`, shortly. */
const later = ({ changes }: Follower): string[] =>
  changes
    .slice(1)
    .map((change) =>
      "put" in change ? `${change.put.key}=${change.put.value}` : "remove" in change ? `-${change.remove}` : "all",
    );

export const CASES: readonly [name: string, run: (world: World) => Promise<void>][] = [
  [
    "what was put is got, listed in the order of keys, and gone when removed",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      assert.equal(await one.get("a/b"), undefined);
      assert.deepEqual(await one.list(""), []);
      for (const key of ["a/c", "a/b", "ab", "b/fd00::1", "a.b/x"]) assert(await one.put(key, `ü ${key}`));
      const got = await two.get("a/b");
      assert.deepEqual([got?.key, got?.value], ["a/b", "ü a/b"]);
      assert.deepEqual(told(await two.list("a/")), [
        ["a/b", "ü a/b"],
        ["a/c", "ü a/c"],
      ]);
      assert.deepEqual(
        (await two.list("")).map(({ key }) => key),
        ["a.b/x", "a/b", "a/c", "ab", "b/fd00::1"],
      );
      assert.equal(await two.remove("a/b"), true);
      assert.equal(await two.remove("a/b"), true);
      assert.equal(await one.get("a/b"), undefined);
      assert(await one.put("empty", ""));
      assert.equal((await two.get("empty"))?.value, "");
    },
  ],
  [
    "a condition that does not hold changes nothing",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      const first = await one.put("k", "1", { if: "absent" });
      assert(first);
      assert.equal(await two.put("k", "2", { if: "absent" }), undefined);
      const second = await two.put("k", "2", { if: first });
      assert(second && second !== first);
      assert.equal(await one.put("k", "3", { if: first }), undefined);
      assert.equal(await one.remove("k", { if: first }), false);
      assert.deepEqual(await one.get("k"), { key: "k", value: "2", revision: second });
      assert.equal(await one.remove("k", { if: second }), true);
      assert.equal(await one.remove("k", { if: second }), false);
      assert.equal(await one.put("k", "4", { if: second }), undefined);
      const third = await one.put("k", "2", { if: "absent" });
      assert(third && third !== first && third !== second);
    },
  ],
  [
    "of clients that race, one wins each time",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      const increment = async (shared: Shared): Promise<void> => {
        for (;;) {
          const entry = await shared.get("n");
          const next = String(Number(entry?.value ?? "0") + 1);
          if ((await shared.put("n", next, { if: entry?.revision ?? "absent" })) !== undefined) return;
        }
      };
      const times = async (shared: Shared): Promise<void> => {
        for (let i = 0; i < 20; i++) await increment(shared);
      };
      await Promise.all([times(one), times(two), times(one)]);
      assert.equal((await one.get("n"))?.value, "60");
    },
  ],
  [
    "a key that is none is refused",
    async (world) => {
      await using one = await world.open();
      for (const key of ["", "/a", "a/", "a//b", "a b", "ä"]) {
        await assert.rejects(one.put(key, ""), failsAsStore);
        await assert.rejects(one.get(key), failsAsStore);
        await assert.rejects(one.remove(key), failsAsStore);
      }
      await assert.rejects(one.list("a b"), failsAsStore);
    },
  ],
  [
    "watches begin with everything and go on with each change, in order, for every client",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      await one.put("w/a", "0");
      await one.put("other", "0");
      using here = follow(one, "w/");
      using there = follow(two, "w/");
      using all = follow(two, "");
      await until("three connections", () => [here, there, all].every(({ connections }) => connections.length === 1));
      assert.deepEqual(told((here.changes[0] as { all: Entry[] }).all), [["w/a", "0"]]);
      let revision: Revision | undefined;
      for (let i = 1; i <= 5; i++) revision = await one.put("w/a", `${i}`);
      await two.put("w/b", "x");
      await one.put("other", "1");
      await one.remove("w/gone");
      await two.remove("w/a");
      await one.put("w/z", "end");
      const expected = ["w/a=1", "w/a=2", "w/a=3", "w/a=4", "w/a=5", "w/b=x", "-w/a", "w/z=end"];
      await until("all changes here", () => here.known.has("w/z"));
      await until("all changes there", () => there.known.has("w/z") && all.known.has("w/z"));
      assert.deepEqual(later(here), expected);
      assert.deepEqual(later(there), expected);
      assert.deepEqual(
        later(all).filter((change) => change.includes("other")),
        ["other=1"],
      );
      const fifth = here.changes.find((change) => "put" in change && change.put.value === "5");
      assert.deepEqual(fifth, { put: { key: "w/a", value: "5", revision } });
    },
  ],
  [
    "a watch ends with its signal, and with its client",
    async (world) => {
      await using one = await world.open();
      const other = await world.open();
      using outlived = follow(other, "");
      const ended = follow(one, "");
      await until("connected", () => ended.connections.length + outlived.connections.length === 2);
      ended[Symbol.dispose]();
      await ended.done;
      await one.put("k", "1");
      await other[Symbol.asyncDispose]();
      await outlived.done;
      await assert.rejects(other.get("k"), failsAsStore);
      assert.equal(ended.changes.length, 1);
    },
  ],
  [
    "a client that was cut off sees what it missed, and nothing twice",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      using there = follow(two, "c/");
      await one.put("c/a", "1");
      await until("connected and told", () => there.connections.length === 1 && there.known.has("c/a"));
      two.cut();
      await until("it is noticed", () => there.connections.at(-1) === false);
      await assert.rejects(two.get("c/a"), failsAsStore);
      await one.put("c/a", "2");
      await one.remove("c/a");
      await one.put("c/b", "3");
      two.heal();
      await until("found again", () => there.connections.at(-1) === true && there.known.has("c/b"));
      assert.deepEqual(later(there).slice(-3), ["c/a=2", "-c/a", "c/b=3"]);
      assert.equal(later(there).includes("all"), false);
      assert.deepEqual(there.connections, [true, false, true]);
      await until("requests are answered again", () => two.get("c/b").then(Boolean, () => false));
    },
  ],
  [
    "after a compaction that it missed, a watch begins anew",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      await one.put("p/gone", "1");
      using there = follow(two, "p/");
      await until("told", () => there.known.has("p/gone") && there.connections.length === 1);
      two.cut();
      await until("it is noticed", () => there.connections.at(-1) === false);
      await one.remove("p/gone");
      for (let i = 0; i < 5; i++) await one.put("p/new", `${i}`);
      await world.compact();
      two.heal();
      await until("it knows the new state", () => there.known.get("p/new") === "4");
      assert.deepEqual([...there.known], [["p/new", "4"]]);
      assert.equal(later(there).at(-1), "all");
      await one.put("p/more", "5");
      await until("it goes on", () => there.known.has("p/more"));
    },
  ],
  [
    "an entry of the living stays while they live, and goes when they are gone",
    async (world) => {
      const { livenessSeconds } = world;
      await using one = await world.open();
      const two = await world.open();
      using here = follow(one, "alive/");
      await until("it follows", () => here.changes.length > 0);
      await two.put("alive/two", "2", { whileAlive: true });
      await two.put("alive/once", "2", { whileAlive: true });
      await two.put("alive/once", "for ever");
      await sleep(livenessSeconds * 2_500);
      assert.equal((await one.get("alive/two"))?.value, "2");
      assert.deepEqual(later(here), ["alive/two=2", "alive/once=2", "alive/once=for ever"]);
      await two[Symbol.asyncDispose]();
      assert.equal((await one.get("alive/two"))?.value, "2");
      await until("it is gone", () => !here.known.has("alive/two"));
      assert.deepEqual([...here.known], [["alive/once", "for ever"]]);
    },
  ],
  [
    "one that starts again in time was never away",
    async (world) => {
      await using one = await world.open();
      using here = follow(one, "alive/");
      await until("it follows", () => here.changes.length > 0);
      const before = await world.open();
      await before.put("alive/two", "before", { whileAlive: true });
      await before[Symbol.asyncDispose]();
      await using after = await world.open();
      await after.put("alive/two", "after", { whileAlive: true });
      await sleep(world.livenessSeconds * 2_500);
      assert.deepEqual(later(here), ["alive/two=before", "alive/two=after"]);
    },
  ],
  [
    "who was silent for too long puts its entries again, but over nobody else's",
    async (world) => {
      await using one = await world.open();
      await using two = await world.open();
      using here = follow(one, "alive/");
      await until("it is told", () => here.connections.length === 1);
      await two.put("alive/mine", "2", { whileAlive: true });
      await two.put("alive/taken", "2", { whileAlive: true });
      await two.put("alive/dropped", "2", { whileAlive: true });
      await two.remove("alive/dropped");
      two.cut();
      await until("both are gone", () => here.known.size === 0 && here.changes.length > 5);
      await one.put("alive/taken", "1");
      two.heal();
      await until("one is back", () => here.known.has("alive/mine"));
      await sleep(world.livenessSeconds * 1_500);
      assert.deepEqual(
        [...here.known],
        [
          ["alive/taken", "1"],
          ["alive/mine", "2"],
        ],
      );
    },
  ],
  [
    "with the store away every request fails as such, and all goes on when it is back",
    async (world) => {
      await using one = await world.open();
      await one.put("k", "1");
      await one.put("alive/one", "1", { whileAlive: true });
      using here = follow(one, "");
      await until("connected", () => here.connections.length === 1);
      await world.stop();
      await until("it is noticed", () => here.connections.at(-1) === false);
      await assert.rejects(one.get("k"), failsAsStore);
      await assert.rejects(one.list(""), failsAsStore);
      await assert.rejects(one.put("k", "2"), failsAsStore);
      await assert.rejects(one.remove("k"), failsAsStore);
      using late = follow(one, "");
      await until("a watch that begins now says so", () => late.connections.at(-1) === false);
      assert.deepEqual(late.changes, []);
      await world.start();
      await until("found again", () => here.connections.at(-1) === true && late.connections.at(-1) === true);
      const revision = await one.put("new", "3");
      assert(revision);
      await until("both know", () => here.known.has("new") && late.known.has("new"));
      assert.deepEqual([...here.known].sort(), [
        ["alive/one", "1"],
        ["k", "1"],
        ["new", "3"],
      ]);
    },
  ],
  [
    "whatever happens, watches end up knowing what is there",
    async (world) => {
      for (const seed of [1, 2]) await randomly(world, seed);
    },
  ],
];

/** Seeded random changes by three clients that are cut off and healed, with compactions between. */
async function randomly(world: World, seed: number): Promise<void> {
  const random = sequence(seed);
  await using one = await world.open();
  await using two = await world.open();
  await using three = await world.open();
  const clients = [one, two, three];
  using first = follow(one, "r/");
  using second = follow(two, "r/");
  using third = follow(three, "r/");
  for (let step = 0; step < 120; step++) {
    const client = clients[random(3)] ?? one;
    const key = `r/${random(6)}`;
    const act = random(24);
    if (act === 0 && client !== one) client.cut();
    else if (act === 1) for (const each of clients) each.heal();
    else if (act === 2) await world.compact();
    else if (act < 8) await client.remove(key).catch(() => false);
    else {
      const entry = await client.get(key).catch(() => undefined);
      const condition: PutOptions = random(2) === 0 ? {} : { if: entry?.revision ?? "absent" };
      await client.put(key, `${step}`, condition).catch(() => undefined);
    }
  }
  for (const client of clients) client.heal();
  await until("they can all write", () =>
    Promise.all(clients.map((client, i) => client.put(`r/end${i}`, `${seed}`))).then(
      () => true,
      () => false,
    ),
  );
  const truth = told(await one.list("r/"));
  for (const [i, { known }] of [first, second, third].entries())
    await until(`seed ${seed}: watch ${i} knows ${JSON.stringify(truth)}`, () => {
      const sorted = [...known].sort(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify(sorted) === JSON.stringify(truth);
    });
  for (const [key] of truth) await one.remove(key);
}
