/** SIGKILL of the real daemon at every step of ADD and DEL, and at moments that nobody chose. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { everything, LIVE, type LiveNode, makeLiveNode, type Verb } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { seeded } from "../support/seeded.ts";

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
}, 30_000);
afterAll(async () => live?.[Symbol.asyncDispose]());

const all = (verb: Verb, ids: readonly string[] = PODS) => Promise.all(ids.map((id) => live.ask(verb, id, wish(id))));

/** After a kill: what was promised holds, the rest is whole or gone, and everything can be taken away. */
async function recovered(promised: { readonly there: readonly string[]; readonly gone: readonly string[] }) {
  const known = () => live.rows("attachment").map(({ container_id }) => String(container_id));
  await eventually("what was half made is undone", async () =>
    live.rows("attachment").every(({ phase }) => phase === "ready") ? true : undefined,
  );
  expect(promised.there.filter((id) => !known().includes(id))).toEqual([]);
  expect(promised.gone.filter((id) => known().includes(id))).toEqual([]);
  expect(live.queued()).toEqual([]);
  await eventually("what is there is whole", async () => {
    const checks = await all("CHECK", known());
    return checks.every(({ exit }) => exit === 0) || undefined;
  });
  const deletes = await all("DEL");
  expect(deletes.map(({ exit, stdout }) => [exit, stdout])).toEqual(PODS.map(() => [0, ""]));
  await eventually("links are deleted", async () => (await live.left()).length === 0 || undefined, 2_000).catch(
    () => {},
  );
  expect(await live.left()).toEqual([]);
}

/** Runs the verb for all pods at once, on a daemon with these variables, while `hit` brings it down. */
async function struck(verb: Verb, variables: Readonly<Record<string, string>>, hit: () => Promise<unknown>) {
  if (verb === "DEL") expect((await all("ADD")).map(({ exit }) => exit)).toEqual(PODS.map(() => 0));
  if (Object.keys(variables).length > 0) {
    await live.daemon.stop();
    await live.daemon.start(variables);
  }
  const [answers] = await Promise.all([all(verb), hit()]);
  const done = PODS.filter((_, i) => answers[i]?.exit === 0);
  for (const { exit, stdout } of answers) if (exit !== 0) expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
  if (verb === "DEL") expect(done).toEqual(PODS);
  await live.daemon.start();
  await recovered(verb === "ADD" ? { there: done, gone: [] } : { there: [], gone: done });
}

runs("there are cases", () => expect(CASES.length).toBe(36));

runs.each(CASES)(
  "killed in %s when %s ends, time %i",
  (verb, step, n) => struck(verb, { SELVEDGE_KILL_AT: `${step}:${n}` }, () => live.daemon.ended()),
  15_000,
);

runs(
  `killed ${RANDOM_KILLS} times at any moment (seed ${SEED})`,
  async () => {
    const random = seeded(SEED);
    for (let i = 0; i < RANDOM_KILLS; i++)
      await struck(i % 2 === 0 ? "ADD" : "DEL", {}, async () => {
        await new Promise((resolve) => setTimeout(resolve, random() * 60));
        await live.daemon.kill();
      });
  },
  120_000,
);
