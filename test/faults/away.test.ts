/** The daemon is away: ADD says so, DEL is remembered and carried out once, in order, and never to a successor's harm. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const runs = needing(...LIVE);
/** Far below what a call may take, on a busy machine, too. */
const AT_ONCE_MS = 5_000;
const PODS = ["aw-a", "aw-b", "aw-c", "aw-d", "aw-e", "aw-f"] as const;

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "aw" });
  await live.pods(...PODS);
});
afterAll(async () => live?.[Symbol.asyncDispose]());
beforeEach(async () => {
  if (runs === test.skip) return;
  await live.daemon.kill();
  await live.daemon.start();
});

const nothingLeft = () =>
  eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined));
const replays = () =>
  live.daemon
    .log()
    .split("\n")
    .filter((line) => line.includes('"event":"replayed"'))
    .map((line) => JSON.parse(line) as { container: string; outcome: string });

runs("ADD fails at once with code 11, STATUS with 50, CHECK with 11, and each says what to look at", async () => {
  await live.daemon.stop();
  for (const [verb, code] of [
    ["ADD", 11],
    ["STATUS", 50],
    ["CHECK", 11],
  ] as const) {
    const { exit, stdout, tookMs } = await live.ask(verb, "aw-a");
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code });
    expect(stdout).toContain(join(live.directory, "selvedged.sock"));
    expect(tookMs).toBeLessThan(AT_ONCE_MS);
  }
  expect(live.queued()).toEqual([]);
});

runs("DEL is queued in under a second and carried out once, in order", async () => {
  for (const id of PODS) expect(await live.ask("ADD", id)).toMatchObject({ exit: 0 });
  await live.daemon.kill();
  const order = [...PODS].toReversed();
  const took: number[] = [];
  for (const id of order) {
    const { exit, stdout, tookMs } = await live.ask("DEL", id);
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
    took.push(tookMs);
  }
  // Of one of them the machine may take its time.
  expect(took.toSorted((a, b) => a - b)[PODS.length / 2]).toBeLessThan(1_000);
  expect(live.queued().length).toBe(PODS.length);
  const before = replays().length;
  await live.daemon.start();
  await nothingLeft();
  expect(replays().slice(before)).toMatchObject(order.map((container) => ({ container, outcome: "done" })));
});

runs.each(["off-network", "forgotten"].flatMap((step) => [1, 2, 4].map((n) => [step, n] as const)))(
  "killed in the middle of the replay, when %s ends, time %i",
  async (step, n) => {
    for (const id of PODS) expect(await live.ask("ADD", id)).toMatchObject({ exit: 0 });
    await live.daemon.kill();
    for (const id of PODS) expect(await live.ask("DEL", id)).toMatchObject({ exit: 0 });
    const before = replays().length;
    await expect(live.daemon.start({ SELVEDGE_KILL_AT: `${step}:${n}` })).rejects.toThrow();
    expect(live.queued().length).toBe(PODS.length - n + 1);
    await live.daemon.start();
    await nothingLeft();
    const carried = replays().slice(before);
    // An entry whose attachment is forgotten is not even read again, only taken off the queue.
    const readAgain = (id: string, i: number) => (step === "forgotten" && i === n - 1 ? "" : id);
    expect(carried.map(({ container }) => container)).toEqual(PODS.map(readAgain));
    expect(carried[n - 1]?.outcome).toBe(step === "forgotten" ? "skipped" : "done");
    expect(carried.filter(({ outcome }) => outcome === "done").length).toBe(step === "forgotten" ? 5 : 6);
  },
);

runs("a queued DEL that is older than a new ADD of the same container leaves it alone", async () => {
  expect(await live.ask("ADD", "aw-a")).toMatchObject({ exit: 0 });
  await live.daemon.kill();
  expect(await live.ask("DEL", "aw-a")).toMatchObject({ exit: 0 });
  const [name = ""] = live.queued();
  const entry = join(live.directory, "queue", name);
  const text = readFileSync(entry);
  await live.daemon.start();
  await nothingLeft();
  expect(await live.ask("ADD", "aw-a")).toMatchObject({ exit: 0 });
  // As if the disk had given the entry back after a crash: the same name, the same words.
  writeFileSync(entry, text);
  await eventually("it is taken off the queue", async () => (live.queued().length === 0 ? true : undefined));
  expect(replays().at(-1)).toMatchObject({ container: "aw-a", outcome: "skipped" });
  expect(await live.ask("CHECK", "aw-a")).toMatchObject({ exit: 0 });
  expect(await live.ask("DEL", "aw-a")).toMatchObject({ exit: 0 });
  await nothingLeft();
});

runs("what nobody of ours has written into the queue is thrown away and said", async () => {
  writeFileSync(join(live.directory, "queue", "00000000000000000001-x.del.json"), "{half");
  await eventually("it is gone", async () => (live.queued().length === 0 ? true : undefined));
  expect(replays().at(-1)).toMatchObject({ outcome: "unreadable" });
});
