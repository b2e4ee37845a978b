/**
 * A random life of the rig: pods come and go by name and without, daemons are killed, nodes cut off, etcd goes away. No
 * address is ever held by two pods, and in the end every pod reaches every other. SELVEDGE_SEED plays one again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sequence } from "#lib/store/contract.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers } from "./ping.ts";
import { NAMES, type Name } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { cable } from "./wire.ts";

const runs = needing(...RIG);
const SEED = Number(process.env.SELVEDGE_SEED ?? 7);
/** As many steps as there is time for: pods at random take as long as they take. */
const WALK_MS = process.env.SELVEDGE_LONG === undefined ? 60_000 : 600_000;
/** Eight blocks of eight for three nodes. */
const POOLS = [
  {
    name: "default",
    ranges: [[{ subnet: "10.66.0.0/26" }], [{ subnet: "fd00:66::/122" }]],
    blockSize: { 4: 29, 6: 125 },
  },
];
const START_MS = 5_000;
const RESERVED = ["vm:one", "vm:two"];

let rig: Rig;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, cluster: { graceSeconds: 600 }, config: { pools: POOLS } });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

interface Alive extends Pod {
  readonly name?: string;
}

/** What happens, each with its weight. */
const STEPS = { add: 40, named: 8, del: 26, kill: 4, start: 6, cut: 2, heal: 5, store: 2 } as const;
type Step = keyof typeof STEPS;
const WEIGHTED = (Object.keys(STEPS) as Step[]).flatMap((step) => Array.from({ length: STEPS[step] }, () => step));

/** Plays it, and keeps the books. */
class Walk {
  readonly pods = new Map<string, Alive>();
  readonly lines: string[] = [];
  readonly #random: (below: number) => number;
  readonly #down = new Set<Name>();
  readonly #cut = new Set<Name>();
  #isStoreAway = false;
  #count = 0;

  constructor(seed: number) {
    this.#random = sequence(seed);
  }

  #one<T>(of: readonly T[]): T | undefined {
    return of[this.#random(of.length || 1)];
  }

  /** @throws Error when an address is held already */
  #hold(pod: Alive): void {
    for (const other of this.pods.values())
      for (const family of [4, 6] as const)
        if (other.address[family] === pod.address[family])
          throw new Error(
            `${pod.address[family]} is held by ${other.id} on ${other.node} and ${pod.id} on ${pod.node}`,
          );
    this.pods.set(pod.id, pod);
  }

  async #add(node: Name, reservation?: string): Promise<void> {
    const id = `cl-w-${++this.#count}`;
    const more = reservation === undefined ? {} : { args: { cni: { reservation } } };
    try {
      const pod = await rig.nodes[node].add(id, more);
      this.#hold({ ...pod, ...(reservation === undefined ? {} : { name: reservation }) });
      this.lines.push(`${id} on ${node} has ${pod.address[4]}`);
    } catch (error) {
      const text = String(error);
      if (!/"code":\s*11\b/.test(text)) throw error;
      this.lines.push(`${id} on ${node} is refused`);
      await rig.nodes[node].del(id);
    }
  }

  async step(): Promise<void> {
    const up = NAMES.filter((name) => !this.#down.has(name));
    const node = this.#one(up);
    const kind = this.#one(WEIGHTED);
    switch (kind) {
      case "add": {
        // Several at once, as a scheduler has it.
        const nodes = up.filter(() => this.#random(2) === 0);
        await Promise.all(nodes.map((name) => this.#add(name)));
        return;
      }
      case "named": {
        const name = this.#one(RESERVED);
        if (node !== undefined && ![...this.pods.values()].some((pod) => pod.name === name))
          await this.#add(node, name);
        return;
      }
      case "del": {
        const pod = this.#one([...this.pods.values()]);
        if (pod === undefined || this.#down.has(pod.node)) return;
        this.pods.delete(pod.id);
        await rig.nodes[pod.node].del(pod.id);
        this.lines.push(`${pod.id} is gone from ${pod.node}`);
        return;
      }
      case "kill":
        if (node === undefined) return;
        this.#down.add(node);
        this.lines.push(`the daemon of ${node} is killed`);
        return rig.nodes[node].daemon.kill();
      case "start":
        for (const name of this.#down) await this.#start(name);
        return;
      case "cut":
        if (node === undefined) return;
        this.#cut.add(node);
        this.lines.push(`${node} is cut off`);
        await cable(node, false);
        return;
      case "heal":
        return this.#heal();
      case "store":
        this.#isStoreAway = !this.#isStoreAway;
        this.lines.push(`etcd is ${this.#isStoreAway ? "away" : "back"}`);
        return this.#isStoreAway ? rig.etcd.stop() : rig.etcd.start();
    }
  }

  /** One that is cut off and has no address left does not say that it is ready. */
  async #start(name: Name): Promise<void> {
    const starting = rig.nodes[name].daemon.start().catch((error: Error) => void this.lines.push(error.message));
    await Promise.race([starting, sleep(START_MS)]);
    this.#down.delete(name);
    this.lines.push(`the daemon of ${name} is back`);
  }

  async #heal(): Promise<void> {
    for (const name of this.#cut) await cable(name, true);
    this.#cut.clear();
    this.lines.push("all are plugged in");
  }

  async peace(): Promise<void> {
    if (this.#isStoreAway) await rig.etcd.start();
    await this.#heal();
    for (const name of [...this.#down]) await this.#start(name);
  }
}

runs(
  `seed ${SEED}: no address is held by two pods, and all reach all in the end`,
  async () => {
    for (const name of RESERVED)
      await eventually(`${name} is reserved`, () => rig.nodes.a.ctl("reserve", name).then(() => true));
    const walk = new Walk(SEED);
    let steps = 0;
    try {
      for (const endMs = performance.now() + WALK_MS; performance.now() < endMs; steps++) await walk.step();
      await walk.peace();
      const all = [...walk.pods.values()];
      expect(all.length).toBeGreaterThan(0);
      // What their namespaces say, not what we were told.
      const held = await Promise.all(
        all.map(async ({ id }) => {
          const text = await must(inside(id, ["ip", "-j", "addr", "show", "dev", "eth0"]));
          const [link] = JSON.parse(text) as { addr_info: { local: string; scope: string }[] }[];
          return link?.addr_info.flatMap(({ local, scope }) => (scope === "global" ? [local] : [])) ?? [];
        }),
      );
      expect(new Set(held.flat()).size).toBe(held.flat().length);
      expect(held.flat().sort()).toEqual(all.flatMap(({ address }) => [address[4], address[6]]).sort());
      const [first] = all;
      if (first === undefined) return;
      for (const to of all.slice(1))
        await eventually(
          `${first.id} reaches ${to.id}`,
          async () => (await answers(first, to, 4)) || undefined,
          20_000,
        );
    } catch (error) {
      throw new Error(`seed ${SEED}, step ${steps}:\n${walk.lines.slice(-40).join("\n")}`, { cause: error });
    }
    expect(steps).toBeGreaterThan(20);
    console.info(`${steps} steps, ${walk.lines.length} events, ${walk.pods.size} pods at the end`);
  },
  WALK_MS + 180_000,
);
