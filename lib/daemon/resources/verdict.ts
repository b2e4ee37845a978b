/** What is said of an object that was told of. */
import type { Refusal } from "#lib/config/resources.ts";
import type { Condition, Told } from "./told.ts";

/** Undefined where it has been said. */
export function verdictOf(told: Told, refusal: Refusal | undefined, nowMs: number): Condition | undefined {
  const { accepted: before, generation: observedGeneration } = told;
  const status = refusal === undefined ? "True" : "False";
  const reason = refusal?.reason ?? "Accepted";
  const message = refusal?.message ?? "It counts on all nodes.";
  if (
    before?.status === status &&
    before.reason === reason &&
    before.message === message &&
    before.observedGeneration === observedGeneration
  )
    return undefined;
  const isSame = before?.status === status && before.lastTransitionTime !== "";
  const lastTransitionTime = isSame ? before.lastTransitionTime : `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  return { type: "Accepted", status, reason, message, observedGeneration, lastTransitionTime };
}
