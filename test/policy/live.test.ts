/** The published rows against the real kernel: real namespaces, the real daemon, a directory of manifests. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { LIVE } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { ROWS, readSteps, type Step } from "./rows.ts";
import { makeStage, type Stage } from "./stage.ts";

const runs = needing(...LIVE, { program: "python3" }, { file: ROWS });
/** Of each step: so many pairs that should pass and so many that should not, for each protocol. */
const SAMPLES = 4;
const PROTOCOLS = ["TCP", "UDP"];

let stage: Stage;
/** Namespaces of pods that are attached, with the address that each got. */
const attached = new Map<string, string>();

beforeAll(async () => {
  if (runs === test.skip) return;
  stage = await makeStage("pol", {
    config: { pools: [{ name: "default", ranges: [[{ subnet: "192.168.242.0/24", gateway: "192.168.242.254" }]] }] },
  });
});
afterAll(async () => stage?.[Symbol.asyncDispose](), 60_000);

/** The step's world, as the daemon is to see it. */
async function show(step: Step): Promise<void> {
  const { live, peers } = stage;
  for (const [key, id] of attached) {
    if (step.pods.has(key)) continue;
    await peers.end(id);
    expect(await live.ask("DEL", id)).toMatchObject({ exit: 0 });
    attached.delete(key);
  }
  for (const [key, { namespace, name, addresses }] of step.pods) {
    if (attached.has(key)) continue;
    const id = `pol-${key.replace("/", "-")}`;
    await live.pods(id);
    await stage.add(id, namespace, { ip: `${addresses[0]}/24`, name });
    attached.set(key, id);
    await peers.serve(id);
  }
  await stage.show(...step.manifests);
}

interface Sample {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly passes: boolean;
}

/** Some of each kind, other ones in each step. */
function samplesOf({ expected }: Step, seed: number): Sample[] {
  const all = expected
    .filter(({ probe }) => PROTOCOLS.includes(probe.protocol))
    .flatMap(({ probe, pods, matrix }) =>
      pods.flatMap((from, i) =>
        pods.flatMap((to, j): Sample[] => {
          if (i === j) return [];
          const passes = matrix[i]?.[j] === ".";
          return [{ from, to, protocol: probe.protocol.toLowerCase(), port: probe.port, passes }];
        }),
      ),
    );
  return PROTOCOLS.flatMap((protocol) =>
    [true, false].flatMap((passes) => {
      const of = all.filter((each) => each.passes === passes && each.protocol === protocol.toLowerCase());
      return Array.from({ length: Math.min(SAMPLES, of.length) }, (_, i) => of[(seed * 31 + i * 17) % of.length]);
    }),
  ).filter((sample) => sample !== undefined);
}

runs(
  "sampled probes of every published row meet in the kernel what the row says",
  async () => {
    const steps = readSteps();
    let probes = 0;
    const wrong: string[] = [];
    for (const [n, step] of steps.entries()) {
      await show(step);
      const samples = samplesOf(step, n);
      expect(samples.length).toBeGreaterThan(0);
      probes += samples.length;
      const seen = await Promise.all(
        samples.map(({ from, to, protocol, port, passes }) => {
          const [address = ""] = step.pods.get(to)?.addresses ?? [];
          return stage.peers.of(attached.get(from) ?? "").reaches(protocol, address, port, passes);
        }),
      );
      for (const [i, { from, to, protocol, port, passes }] of samples.entries())
        if (seen[i] !== passes)
          wrong.push(`${step.title}: ${from} to ${to} ${protocol} ${port}: passes ${seen[i]}, not ${passes}`);
    }
    console.log(`${steps.length} steps, ${probes} probes`);
    expect(wrong).toEqual([]);
  },
  300_000,
);
