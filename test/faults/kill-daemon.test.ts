/** SIGKILL of the real daemon at every step of ADD and DEL, and at moments that nobody chose. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Verb } from "../support/invocation.ts";
import { everything, LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { seeded } from "../support/seeded.ts";
import { struck } from "./struck.ts";

const runs = needing(...LIVE);
const PODS = ["kd-a", "kd-b", "kd-c", "kd-d"] as const;
/** Two of the pods are on three planes. */
const wish = (id: string) => ({
  config: { ...everything(8_000 + id.charCodeAt(3)), network: id < "kd-c" ? "alone" : "std" },
});
const NETWORKS = [
  { name: "alone" },
  { name: "std", planes: ["control", "media"] },
  { name: "control" },
  { name: "media", attachment: "bridge", bridge: "media0", options: { isGateway: true } },
];
/** Four pods at once: the first and the third time that a step ends are different moments of their neighbours' work. */
const STEPS = [
  ["ADD", ["queued", "parsed", "leased", "decided", "intent-stored", "ready-stored"]],
  ["ADD", ["taken-away", "nftables", "devices", "pair", "host-side", "kernel-applied"]],
  ["DEL", ["queued", "parsed", "taken-away", "nftables", "off-network", "forgotten"]],
] as const satisfies readonly (readonly [Verb, readonly string[]])[];
const CASES = STEPS.flatMap(([verb, steps]) => steps.flatMap((step) => [1, 3].map((n) => [verb, step, n] as const)));
const SEED = 20_261;
const RANDOM_KILLS = 40;

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  // Repairs come quickly, and a released address may be used again at once: the pool is small.
  const config = { ipam: { coolDownSeconds: 0 }, reconcile: { debounceMs: 10 }, networks: NETWORKS };
  live = await makeLiveNode({ name: "kd", config });
  await live.pods(...PODS);
});
afterAll(async () => live?.[Symbol.asyncDispose]());

runs("there are cases", () => expect(CASES.length).toBe(36));

runs.each(CASES)(
  "killed in %s when %s ends, time %i",
  (verb, step, n) =>
    struck({ live, pods: PODS, wish }, verb, { SELVEDGE_KILL_AT: `${step}:${n}` }, () => live.daemon.ended()),
  30_000,
);

runs(
  `killed ${RANDOM_KILLS} times at any moment (seed ${SEED})`,
  async () => {
    const random = seeded(SEED);
    for (let i = 0; i < RANDOM_KILLS; i++)
      await struck({ live, pods: PODS, wish }, i % 2 === 0 ? "ADD" : "DEL", {}, async () => {
        await new Promise((resolve) => setTimeout(resolve, random() * 60));
        await live.daemon.kill();
      });
  },
  300_000,
);
