import { expect, test } from "@jest/globals";
import { summary } from "../statistics.ts";
import type { Scale, Step } from "./measured.ts";
import { report } from "./report.ts";
import { verdicts } from "./targets.ts";
import type { Traffic } from "./wiretap.ts";

const traffic: Traffic = { asked: { bytes: 1_234, messages: 4 }, told: { bytes: 567_890, messages: 12 } };
const memory = { rssMib: 150, pssMib: 140, peakMib: 140 };
const step: Step = { until: summary([100, 200]), cpu: 3, traffic };
const cold = { records: 1, facts: 2, load: 1, view: 2, desired: 3, cpu: 5 };
const shapeOf = (nodes: number) => ({ nodes, podsOfNode: 30, fixedOfNode: 1 });
const changesOf = (nodes: number, ms: number) => ({
  shape: shapeOf(nodes),
  join: summary([ms]),
  restart: summary([ms]),
  move: summary([ms]),
});
const RUN: Scale = {
  machine: { kernel: "6.12" },
  cold: [
    { ...cold, shape: shapeOf(10), whole: 50, rssMib: 90 },
    { ...cold, shape: shapeOf(100), whole: 900, rssMib: 200 },
  ],
  changes: [changesOf(10, 0.1), changesOf(100, 0.125)],
  real: {
    nodes: 100,
    start: { whole: 2_000, programming: 700, operations: 604, cpu: 900, traffic, memory },
    idle: { forMs: 1_000, cpu: 10, traffic },
    join: step,
    move: step,
    rolling: { nodes: 100, took: 5_000, cpu: 800, traffic },
    memory,
  },
};

test("each figure is that of the largest cluster, or the largest beside the smallest", () => {
  expect(verdicts(RUN).map(({ what, value, unit, holds }) => `${what}: ${value} ${unit} ${holds}`)).toEqual([
    "cold start of the desired state: 900 ms true",
    "its memory (RSS): 200 MiB true",
    "a pod's move: at most nodes / at fewest: 1.25 x true",
    "a node's restart: at most nodes / at fewest: 1.25 x true",
    "a node's joining: at most nodes / at fewest: 1.25 x true",
    "programming the peers into the kernel: 700 ms true",
    "RSS of the daemon: 150 MiB true",
  ]);
});

test("what grows with the cluster does not hold", () => {
  const slow = verdicts({ ...RUN, changes: [changesOf(10, 0.1), changesOf(100, 0.2)] });
  expect(slow.filter(({ holds }) => !holds).map(({ value }) => value)).toEqual([2, 2, 2]);
});

test("a run is readable in a terminal of 120 columns", () => {
  const text = report(RUN, verdicts(RUN));
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  expect(text).toMatch(/^ +100 +3000 +1 +2 +1\.00 +2\.00 +3\.00 +900 +5\.00 +200$/m);
  expect(text).toMatch(/^it starts +1234 +4\.00 +567890 +12\.0$/m);
  expect(text).toMatch(/^programming the peers into the kernel +700 ms +≤ 3000 ms +yes$/m);
});
