import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { dueMs, heldUntilMs, placeAmong, type SeenClaim, vacancyOf } from "./egress-claim.ts";
import type { EgressRecord } from "./records.ts";

const SELF = { node: "alpha", uid: "a" };
const ALIVE = new Map([
  ["alpha", "a"],
  ["beta", "b"],
]);
const record = (of: Partial<EgressRecord>): EgressRecord => ({
  name: "billing",
  address: address("192.0.2.200"),
  holdSeconds: 10,
  sinceMs: 0,
  writes: 1,
  ...of,
});
const by = (node: string, uid: string): SeenClaim => ({ revision: "7", record: record({ node, uid }) });

const SEEN: readonly [what: string, seen: SeenClaim, isVacant: boolean, dueAfterMs: number][] = [
  ["no record", { revision: "absent" }, true, 20_000],
  ["let go", { revision: "7", record: record({}) }, true, 0],
  ["held by one that is heard of", by("beta", "b"), false, 0],
  ["held by one that is not", by("gamma", "g"), true, 10_000],
  ["held by another machine of that name", by("beta", "other"), true, 10_000],
  ["in this node's name, though it does not hold it", by("alpha", "a"), true, 10_000],
];

test.each(SEEN)("%s", (_what, seen, isVacant, dueAfterMs) => {
  const vacancy = vacancyOf(undefined, seen, ALIVE, SELF, 5_000);
  expect(vacancy).toEqual(isVacant ? { revision: seen.revision, sinceMs: 5_000 } : undefined);
  if (vacancy === undefined) return;
  expect(dueMs(vacancy, seen, { holdSeconds: 20, place: 0 })).toBe(5_000 + dueAfterMs);
  expect(dueMs(vacancy, seen, { holdSeconds: 20, place: 2 })).toBe(5_000 + dueAfterMs + 3_000);
});

test("time counts from when a record was seen first, and anew with every change", () => {
  const seen = by("gamma", "g");
  const first = vacancyOf(undefined, seen, ALIVE, SELF, 1_000);
  expect(vacancyOf(first, seen, ALIVE, SELF, 9_000)).toEqual({ revision: "7", sinceMs: 1_000 });
  expect(vacancyOf(first, { ...seen, revision: "8" }, ALIVE, SELF, 9_000)).toEqual({ revision: "8", sinceMs: 9_000 });
});

test("a holder gives up before anybody may take", () => {
  const [provenMs, holdSeconds] = [1_000, 10];
  expect(heldUntilMs(provenMs, holdSeconds)).toBe(9_000);
});

const PLACES: readonly [self: string, nodes: readonly string[], place: number | undefined][] = [
  ["alpha", ["alpha", "beta"], 0],
  ["beta", ["alpha", "beta"], 1],
  ["gamma", ["alpha", "beta"], undefined],
  ["gamma", ["alpha", "gamm*"], 1],
  ["beta", ["gamma", "delta"], undefined],
];
test.each(PLACES)("%s among %j", (self, nodes, place) => {
  expect(placeAmong(self, { name: "billing", nodes }, ["alpha", "beta"])).toBe(place);
});

test("one pattern for all: every node has a place of its own, and not the same for every name", () => {
  const all = ["alpha", "beta", "gamma", "delta"];
  const order = (name: string) => all.map((self) => placeAmong(self, { name, nodes: ["*"] }, all));
  expect(order("billing").toSorted()).toEqual([0, 1, 2, 3]);
  expect(order("mail")).not.toEqual(order("billing"));
});
