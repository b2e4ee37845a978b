import { expect } from "@jest/globals";
import { enforcement } from "#lib/policy/enforcement.ts";
import { podKey } from "#lib/policy/objects.ts";
import { needing } from "../support/requirement.ts";
import { ROWS, readSteps, type Step } from "./rows.ts";
import { walker } from "./walk.ts";

const onRows = needing({ file: ROWS });

onRows("a packet through the compiled sets meets what every published row says", () => {
  const steps = readSteps();
  expect(steps.length).toBeGreaterThan(70);
  expect(steps.flatMap(disagreements)).toEqual([]);
});

/** Every pod is on this node. */
function disagreements(step: Step): string[] {
  const all = enforcement();
  for (const pod of step.pods.values()) all.putPod(pod);
  for (const { namespace, name, labels, addresses } of step.pods.values())
    all.hold({ key: podKey({ namespace, name }), namespace, name, labels, addresses });
  all.setRules(step.policies, step.namespaces);
  const walk = walker(all);
  return step.expected.flatMap(({ probe, pods, matrix }) =>
    pods.flatMap((source, i) =>
      pods.flatMap((target, j) => {
        const [from] = step.pods.get(source)?.addresses ?? [];
        const [to] = step.pods.get(target)?.addresses ?? [];
        if (from === undefined || to === undefined) return [`${step.title}: ${source} or ${target} has no address`];
        if (i === j) return [];
        const { egress, ingress } = walk({ from, to, protocol: probe.protocol.toLowerCase(), port: probe.port });
        const have = egress ? (ingress ? "." : "I") : ingress ? "E" : "B";
        const want = matrix[i]?.[j];
        return have === want
          ? []
          : [`${step.title}: ${source} to ${target} ${probe.protocol} ${probe.port}: ${have}, not ${want}`];
      }),
    ),
  );
}
