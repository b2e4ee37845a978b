/**
 * A program: the part of the daemon that decides, without a kernel, on clusters that a store of the node's own holds already.
 *   node bench/scale/pure.ts fill FILE SHAPE         writes the cluster there, as a daemon that was heard of it has it
 *   node bench/scale/pure.ts begin FILE SHAPE        begins as a daemon does, and prints what it took as JSON
 *   node bench/scale/pure.ts change FILE SHAPE FILE SHAPE
 *                                                    lets nodes and pods come and go in both by turns, and prints the same
 * Several runs, since what has made a cluster would count as memory of what reads it.
 */
import { performance } from "node:perf_hooks";
import { aliveKey } from "#lib/cluster/records.ts";
import { clusterView, type Known, type ViewChange } from "#lib/cluster/view.ts";
import { SAMPLE_WAYS } from "#lib/config/sample-ways.ts";
import { peers } from "#lib/daemon/cluster/peers.ts";
import { diff } from "#lib/state/diff.ts";
import { sqlite } from "#lib/store/sqlite.ts";
import type { AttachmentRecord, Change } from "#lib/store/store.ts";
import { factsOf } from "../sample.ts";
import { type Summary, summary } from "../statistics.ts";
import {
  aliveEntry,
  fixedEntry,
  fixedRecord,
  joining,
  nameOf,
  nodeEntry,
  nodeRecord,
  recordsOf,
  type Shape,
  UNDERLAY,
} from "./cluster.ts";

/** Milliseconds, but for the memory. */
export interface Cold {
  readonly shape: Shape;
  readonly records: number;
  /** Facts that are wanted because of the others. */
  readonly facts: number;
  /** Until everything that is wanted is known: reading the store, understanding it, and what follows from it. */
  readonly load: number;
  readonly view: number;
  readonly desired: number;
  readonly whole: number;
  /** Of `whole`, on all threads: less than that where others had the processors. */
  readonly cpu: number;
  readonly rssMib: number;
}

/** Milliseconds. */
export interface Changes {
  readonly shape: Shape;
  /** A node more: its records heard, and what it changes here. */
  readonly join: Summary;
  /** A node's daemon ends and comes back with another version. */
  readonly restart: Summary;
  /** A pod with a fixed address moves to another node. */
  readonly move: Summary;
}

/** This node is beside those of the cluster. */
const SELF = 16_000;
const SAMPLES = 1_000;

function attachment(number: number): AttachmentRecord {
  const containerId = `pod-${number}`;
  return {
    containerId,
    ifname: "eth0",
    network: "selvedge",
    phase: "ready",
    type: "ptp",
    netns: `/run/netns/${containerId}`,
    netnsInode: 4_026_600_000 + number,
    chained: false,
    config: "{}",
    args: "",
    path: "",
    facts: factsOf("full", containerId, number),
    createdMs: 0,
  };
}

async function fill(file: string, shape: Shape): Promise<void> {
  await using store = await sqlite(file);
  await store.commit(
    recordsOf(shape).map(({ key, value }): Change => ({ put: "shared", value: { name: key, value } })),
  );
  await store.commit(
    Array.from({ length: shape.podsOfNode }, (_, i): Change => ({ put: "attachment", value: attachment(i) })),
  );
}

/** A node that knows the cluster, and hears of changes. */
interface Begun {
  readonly shape: Shape;
  readonly cold: Cold;
  /** @returns how long it took, milliseconds @throws Error when nothing follows from it */
  hear(changes: readonly ViewChange[]): Promise<number>;
}

async function begin(file: string, shape: Shape): Promise<Begun> {
  const beganMs = performance.now();
  const cpu = process.cpuUsage();
  await using store = await sqlite(file);
  const snapshot = await store.load();
  const loadedMs = performance.now();
  const own = nodeRecord(SELF);
  const view = clusterView(own.name);
  const all = peers({
    kernel: {
      egress: async (addresses) =>
        addresses.map((to) => ({ to, link: "eth0", mtuBytes: 1_500, source: UNDERLAY.first, via: UNDERLAY.first })),
      look: async () => [],
      apply: async () => {},
    },
    view,
    ways: SAMPLE_WAYS,
    own: () => own,
    livenessOf: ({ name, uid }) => (view.alive.get(name) === uid ? "alive" : "dead"),
    keys: { active: undefined, inUse: () => undefined },
    answering: false,
  });
  const take = (change: ViewChange): void => all.mark(view.take(change).nodes);

  take({ all: snapshot.shared.map(({ name: key, value }) => ({ key, value })) });
  const viewedMs = performance.now();
  const ops = [...(await all.settle()), ...snapshot.attachments.flatMap(({ facts }) => diff(facts, []))];
  const doneMs = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  return {
    shape,
    cold: {
      shape,
      records: snapshot.shared.length,
      facts: ops.length,
      load: loadedMs - beganMs,
      view: viewedMs - loadedMs,
      desired: doneMs - viewedMs,
      whole: doneMs - beganMs,
      cpu: (user + system) / 1_000,
      rssMib: process.memoryUsage().rss / 2 ** 20,
    },
    async hear(changes) {
      const fromMs = performance.now();
      for (const change of changes) take(change);
      if ((await all.settle()).length === 0) throw new Error("a change has changed nothing");
      return performance.now() - fromMs;
    },
  };
}

const put = (entry: Known): ViewChange => ({ put: entry });

/** What happens at once, one after another. */
const HAPPENINGS = {
  join: ({ shape }, i) => [joining(shape, shape.nodes + i).map(put)],
  restart: ({ shape }, i) => [
    [{ remove: aliveKey(nameOf(i % shape.nodes)) }],
    [put(aliveEntry(i % shape.nodes)), put(nodeEntry(i % shape.nodes, `1.0.${i}`))],
  ],
  move: ({ shape }, i) => [
    [put(fixedEntry(fixedRecord(i % shape.nodes, 4, 0, (i + 2 + Math.floor(i / shape.nodes)) % shape.nodes)))],
  ],
} as const satisfies Record<string, (of: Begun, i: number) => ViewChange[][]>;

/** By turns, so that whatever else the machine does is shared by both. */
async function series(of: readonly Begun[], what: keyof typeof HAPPENINGS): Promise<Summary[]> {
  const times = of.map((): number[] => []);
  for (let i = 0; i < SAMPLES; i++)
    for (const [which, begun] of of.entries()) {
      let ms = 0;
      for (const changes of HAPPENINGS[what](begun, i)) ms += await begun.hear(changes);
      times[which]?.push(ms);
    }
  return times.map(summary);
}

async function change(of: readonly Begun[]): Promise<Changes[]> {
  const [move, restart, join] = [await series(of, "move"), await series(of, "restart"), await series(of, "join")];
  return of.flatMap(({ shape }, i) => {
    const one = { join: join[i], restart: restart[i], move: move[i] };
    return one.join && one.restart && one.move ? [{ shape, join: one.join, restart: one.restart, move: one.move }] : [];
  });
}

const [, , verb, file = "", text = "", ...more] = process.argv;
const read = (shape: string): Shape => JSON.parse(shape) as Shape;
const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
if (verb === "fill") await fill(file, read(text));
else if (verb === "begin") print((await begin(file, read(text))).cold);
else if (verb === "change")
  print(await change([await begin(file, read(text)), await begin(more[0] ?? "", read(more[1] ?? ""))]));
else throw new TypeError(`${verb}: it is fill, begin or change`);
