import { expect, test } from "@jest/globals";
import { conditionsOf, type Known, roughly } from "./conditions.ts";
import type { Condition, Told } from "./told.ts";

const NOW_MS = Date.UTC(2027, 0, 15, 8);
const REFUSAL = { reason: "Invalid", message: "spec.mtu: no" } as const;
const told = (kind: Told["kind"], conditions: readonly Condition[] = [], generation = 1): Told => ({
  kind,
  name: "n",
  spec: {},
  uid: "u",
  generation,
  created: "",
  conditions,
});

test("it is said once, and again for what has changed; since when is kept while it is the same", () => {
  const first = conditionsOf(told("Network"), {}, NOW_MS) ?? [];
  const accepted = {
    type: "Accepted",
    status: "True",
    reason: "Accepted",
    message: "It counts on all nodes.",
    observedGeneration: 1,
    lastTransitionTime: "2027-01-15T08:00:00Z",
  };
  expect(first).toEqual([accepted]);
  expect(conditionsOf(told("Network", first), {}, NOW_MS + 60_000)).toBeUndefined();
  expect(conditionsOf(told("Network", first, 2), {}, NOW_MS + 60_000)).toEqual([
    { ...accepted, observedGeneration: 2 },
  ]);
  const refused = conditionsOf(told("Network", first, 2), { refusal: REFUSAL }, NOW_MS + 60_000) ?? [];
  expect(refused).toEqual([
    {
      ...REFUSAL,
      type: "Accepted",
      status: "False",
      observedGeneration: 2,
      lastTransitionTime: "2027-01-15T08:01:00Z",
    },
  ]);
  expect(conditionsOf(told("Network", refused, 2), { refusal: REFUSAL }, NOW_MS + 120_000)).toBeUndefined();
});

const ABSENT = 'spec.peers[0]: there is no tenant "b"; known: none';
const CASES: readonly (readonly [kind: Told["kind"], known: Known, said: readonly string[]])[] = [
  ["Tenant", {}, ["Accepted True Accepted", "Ready True Ready"]],
  ["Tenant", { lacking: ABSENT }, ["Accepted True Accepted", "Ready False PeerAbsent"]],
  ["Tenant", { refusal: REFUSAL }, ["Accepted False Invalid", "Ready False NotAccepted"]],
  ["Network", {}, ["Accepted True Accepted"]],
  ["AddressPool", { refusal: REFUSAL }, ["Accepted False Invalid"]],
  ["AddressPool", { blocks: 0 }, ["Accepted True Accepted", "InUse False NothingTaken"]],
  ["AddressPool", { blocks: 8 }, ["Accepted True Accepted", "InUse True Taken"]],
];
test.each(CASES)("of a %s with %j is said", (kind, known, said) => {
  const found = conditionsOf(told(kind), known, NOW_MS) ?? [];
  expect(found.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual(said);
  expect(conditionsOf(told(kind, found), known, NOW_MS + 60_000)).toBeUndefined();
});

test("who uses it is said in words, and what is missing by its setting", () => {
  const last = (kind: Told["kind"], known: Known) => conditionsOf(told(kind), known, NOW_MS)?.at(-1)?.message;
  expect(last("AddressPool", { blocks: 5 })).toBe("Nodes have at least 4 of its blocks.");
  expect(last("AddressPool", { blocks: 0 })).toBe("Nodes have none of its blocks.");
  expect(last("Tenant", { lacking: ABSENT })).toBe(ABSENT);
});

test("what the server would not take is cut", () => {
  const message = "x".repeat(40_000);
  const found = conditionsOf(told("Network"), { refusal: { reason: "Invalid", message } }, NOW_MS) ?? [];
  expect(found[0]?.message).toHaveLength(32_768);
});

const COUNTS: readonly (readonly [count: number, before: number, said: number])[] = [
  [0, 0, 0],
  [1, 0, 1],
  [7, 0, 4],
  [3, 4, 2],
  [15, 4, 4],
  [16, 4, 16],
  [64, 32, 32],
  [63, 64, 32],
  [0, 32, 0],
];
test.each(COUNTS)("of %i, %i having been said, %i is said", (count, before, said) =>
  expect(roughly(count, before)).toBe(said),
);

test("what another node has said of a pool is said on", () => {
  const pool = (blocks: number, said: readonly Condition[] = []) =>
    conditionsOf(told("AddressPool", said), { blocks }, NOW_MS);
  expect(pool(15, pool(4))).toBeUndefined();
  expect(pool(16, pool(4))?.at(-1)?.message).toBe("Nodes have at least 16 of its blocks.");
  expect(pool(1, pool(0))?.at(-1)?.message).toBe("Nodes have at least 1 of its blocks.");
});

test("a count that moves by one is seldom another", () => {
  let [before, writes] = [0, 0];
  for (let i = 0; i < 1_000; i++) {
    const next = roughly(64 - (i % 2), before);
    if (next !== before) writes += 1;
    before = next;
  }
  expect(writes).toBe(2);
});

test("there are cases", () => expect([CASES.length, COUNTS.length].every((count) => count > 5)).toBe(true));
