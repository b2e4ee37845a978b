/** `cluster.probe: fast`: how long a node that is cut off goes on being sent packets, and that a dead daemon is no dead node. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers, ping100 } from "./ping.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { cable } from "./wire.ts";

const runs = needing(...RIG);
const TIMES = 5;
/**
 * The first question that is lost goes out within 100 ms, the fifth 400 ms later; its answer may take 250 ms, and is looked for
 * every 100 ms. The rest is for a busy machine.
 */
const LIMIT_MS = 2_000;

let rig: Rig;
let pods: Record<"a" | "b", Pod>;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, cluster: { probe: "fast" } });
  pods = { a: await rig.nodes.a.add("cl-f-a"), b: await rig.nodes.b.add("cl-f-b") };
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const isReached = () => answers(pods.a, pods.b, 4);
const isRouted = () =>
  rig.nodes.a.on("ip", "route", "get", pods.b.address[4]).then(
    () => true,
    () => false,
  );

runs("what leads to a node that is cut off is withdrawn within a second or so, and back when the node is", async () => {
  const tookMs: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    await eventually("it is reached", async () => ((await isReached()) && (await isRouted())) || undefined);
    // At any moment between two questions.
    await sleep(1_000 + time * 23);
    const cutMs = performance.now();
    await cable("b", false);
    await eventually("its route is withdrawn", async () => !(await isRouted()) || undefined);
    tookMs.push(Math.round(performance.now() - cutMs));
    await cable("b", true);
  }
  process.stdout.write(`probe: fast: routes to a node that was cut off withdrawn after ${tookMs.join(", ")} ms\n`);
  // Of one of them the machine may take its time.
  expect(tookMs.toSorted((a, b) => a - b)[TIMES >> 1]).toBeLessThan(LIMIT_MS);
});

runs("a daemon that is killed takes nothing from its node's pods", async () => {
  await eventually("it is reached", async () => (await isReached()) || undefined);
  const pings = ping100(pods.a, pods.b, 4);
  await rig.nodes.b.daemon.kill();
  await sleep(LIMIT_MS + 1_000);
  await rig.nodes.b.daemon.start();
  await sleep(1_000);
  expect((await pings.stop()).lost).toBe(0);
});
