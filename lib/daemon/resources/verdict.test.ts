import { expect, test } from "@jest/globals";
import type { Condition, Told } from "./told.ts";
import { verdictOf } from "./verdict.ts";

const NOW_MS = Date.UTC(2027, 0, 15, 8);
const REFUSAL = { reason: "Invalid", message: "spec.mtu: no" } as const;
const told = (accepted?: Condition, generation = 1): Told => ({
  kind: "Network",
  name: "n",
  spec: {},
  uid: "u",
  generation,
  created: "",
  ...(accepted === undefined ? {} : { accepted }),
});

test("it is said once, and again for what has changed; since when is kept while it is the same", () => {
  const first = verdictOf(told(), undefined, NOW_MS);
  expect(first).toEqual({
    type: "Accepted",
    status: "True",
    reason: "Accepted",
    message: "It counts on all nodes.",
    observedGeneration: 1,
    lastTransitionTime: "2027-01-15T08:00:00Z",
  });
  expect(verdictOf(told(first), undefined, NOW_MS + 60_000)).toBeUndefined();
  expect(verdictOf(told(first, 2), undefined, NOW_MS + 60_000)).toEqual({ ...first, observedGeneration: 2 });
  const refused = verdictOf(told(first, 2), REFUSAL, NOW_MS + 60_000);
  expect(refused).toEqual({
    ...REFUSAL,
    type: "Accepted",
    status: "False",
    observedGeneration: 2,
    lastTransitionTime: "2027-01-15T08:01:00Z",
  });
  expect(verdictOf(told(refused, 2), REFUSAL, NOW_MS + 120_000)).toBeUndefined();
});
