/** The part of a router's settings that chooses pods. */
import { z } from "zod";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { integer, setting } from "./leaves.ts";
import { podRule } from "./pod-rule.ts";
import type { Path } from "./yaml.ts";

/** All that is ours on a router is one value of the shared store, which has room for some 20,000 lines; a server is three. */
const MOST = 5_000;

/** What a choice has, whatever it is for. */
export const choice = {
  namespace: podRule.namespace,
  labels: podRule.labels,
  most: setting(
    integer(1, MOST).default(1_000),
    "Entries on the router; where there would be more, those that it has stay, which `selvedgectl edge status` tells.",
  ),
} as const;

export const chosen = z.strictObject(choice, { error: "an object such as {namespace: shop, labels: {app: web}}" });

/** @param path of the choice */
export function choiceMistakes(root: unknown, path: Path): Complaint[] {
  const given = lookUp(root, path);
  if (given === undefined) return [];
  const labels = lookUp(given, ["labels"]);
  const isAnybody =
    lookUp(given, ["namespace"]) === undefined && (labels === undefined || Object.keys(Object(labels)).length === 0);
  const isTold = ["kubernetes", "policies"].some((key) => lookUp(root, [key]) !== undefined);
  return [
    ...(isAnybody ? [complaint(path, "needs `namespace` or `labels`: without both it would mean every pod")] : []),
    ...(isTold
      ? []
      : [complaint(path, "needs `kubernetes`, or `policies.directory`: nothing tells which pods there are")]),
  ];
}
