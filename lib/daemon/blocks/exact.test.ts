/** As many addresses as pods, a slow store, and a runtime that tries again what was refused: all have theirs in the end. */
import { expect, test } from "@jest/globals";
import { readPools } from "#lib/ipam/read-pool.ts";
import { root } from "#lib/parse.ts";
import { sequence } from "#lib/store/contract.ts";
import { type Random, rig } from "./rig.ts";
import type { Rig } from "./rig-parts.ts";

const NODES = Array.from({ length: 10 }, (_, i) => `node-${i + 1}`);
/** Fifteen blocks of eight addresses each. */
const PODS = 120;
const FOUR = [{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.8", rangeEnd: "10.1.0.127" }];
const SIX = [{ subnet: "fd00::/64", rangeStart: "fd00::8", rangeEnd: "fd00::7f" }];

/** Pods come within this time. */
const COMING_MS = 60_000;
/** kubelet tries a pod again so long after it was refused (pkg/kubelet/pod_workers.go, backOffPeriod and its jitter). */
const againMs = (random: Random): number => 10_000 + random(5_000);
/** Of the rig's time: most seeds take half of it. Where nodes take from each other what pods wait for, some take forever. */
const PATIENCE_MS = 450_000;
const STEP_MS = 250;

/** @returns how long it took until all pods run, ms; not less than the patience when some have no address by then */
async function allRun(of: Rig, prefix: string, nodeOf: (pod: number) => string, random: Random): Promise<number> {
  const sinceMs = of.nowMs;
  let waiting = Array.from({ length: PODS }, (_, i) => {
    return {
      name: `ns/${prefix}-${i}`,
      node: nodeOf(i),
      dueMs: sinceMs + random(COMING_MS),
      tries: 0,
      isUnderWay: false,
    };
  });
  const idOf = ({ name, tries }: { name: string; tries: number }) => `${name}-${tries}`;
  while (waiting.length > 0 && of.nowMs - sinceMs < PATIENCE_MS) {
    for (const pod of waiting) {
      if (pod.isUnderWay && of.ended(idOf(pod)) !== undefined) {
        pod.isUnderWay = false;
        pod.dueMs = of.nowMs + againMs(random);
      } else if (!pod.isUnderWay && pod.dueMs <= of.nowMs) {
        pod.isUnderWay = true;
        pod.tries += 1;
        of.add(pod.node, idOf(pod), { name: pod.name });
      }
    }
    await of.calm(STEP_MS);
    waiting = waiting.filter((pod) => of.ended(idOf(pod)) !== "added");
  }
  return of.nowMs - sinceMs;
}

const LIVES = [
  ["one family", 6, [FOUR]],
  ["both families", 2, [FOUR, SIX]],
] as const;
/** Of the machine's time. */
const LIMIT_MS = 600_000;

test.each(LIVES)(
  "as many addresses of %s as pods, made and made again elsewhere, seed %i",
  async (_name, seed, ranges) => {
    const random = sequence(seed * 7_919);
    const pools = readPools(root([{ name: "std", ranges, blocks: { 4: 29, 6: 125 } }], "pools"));
    const of = rig(pools, NODES, random, [], {
      isKubernetes: true,
      latencyMs: () => 100 + random(2_900),
      lingerMs: 60_000,
    });
    of.faults = false;
    for (const name of NODES) of.start(name);
    await of.calm(20_000);
    expect(await allRun(of, "first", (pod) => NODES[pod % NODES.length] ?? "", random)).toBeLessThan(PATIENCE_MS);
    for (const id of [...of.pods.keys()]) of.del(id);
    expect(await allRun(of, "second", () => NODES[random(NODES.length)] ?? "", random)).toBeLessThan(PATIENCE_MS);
    expect(of.pods.size).toBe(PODS);
  },
  LIMIT_MS,
);

test("there are lives", () => expect(LIVES.length).toBeGreaterThan(0));
