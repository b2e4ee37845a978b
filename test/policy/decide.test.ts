import { existsSync } from "node:fs";
import { expect } from "@jest/globals";
import { type End, verdict } from "#lib/policy/decide.ts";
import type { Protocol } from "#lib/policy/objects.ts";
import { needing } from "../support/requirement.ts";
import { ROWS, readSteps, type Step } from "./rows.ts";

const steps = existsSync(ROWS) ? readSteps() : [];
const onRows = needing({ file: ROWS });

onRows("every published row agrees", () => {
  expect(steps.length).toBeGreaterThan(70);
  expect(steps.flatMap(disagreements)).toEqual([]);
});

function disagreements(step: Step): string[] {
  const world = {
    policies: step.policies,
    namespaceLabels: (name: string) => step.namespaces.get(name)?.labels ?? {},
  };
  const end = (key: string): End => {
    const pod = step.pods.get(key);
    const [address] = pod?.addresses ?? [];
    if (pod === undefined || address === undefined) throw new Error(`${step.title}: no pod ${key}`);
    return { address, pod };
  };
  return step.expected.flatMap(({ probe, pods, matrix }) => {
    expect(probe.port).toBeGreaterThan(0);
    const packet = { protocol: probe.protocol.toLowerCase() as Protocol, port: probe.port };
    return pods.flatMap((from, i) =>
      pods.flatMap((to, j) => {
        const want = matrix[i]?.[j];
        if (i === j) return [];
        const { egress, ingress } = verdict(world, end(from), end(to), packet);
        const isOut = egress?.verdict === "deny";
        const isIn = ingress?.verdict === "deny";
        const have = isOut && isIn ? "B" : isOut ? "E" : isIn ? "I" : ".";
        return have === want
          ? []
          : [`${step.title}: ${from} to ${to} ${probe.protocol} ${probe.port}: ${have}, not ${want}`];
      }),
    );
  });
}
