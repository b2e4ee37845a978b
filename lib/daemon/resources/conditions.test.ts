import { expect, test } from "@jest/globals";
import type { RouterState } from "../edge/router-status.ts";
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

const ROUTER: RouterState = {
  phase: "in-sync",
  message: "",
  version: "",
  writer: "",
  revision: 0,
  lastPush: undefined,
};
const PHASES: readonly (readonly [state: Partial<RouterState>, ready: string, paused: string])[] = [
  [{}, "True InSync It has what it should.", "False NotPaused"],
  [{ phase: "starting" }, "False Starting No node has looked at it with these settings yet.", "False NotPaused"],
  [{ phase: "pushing" }, "False Pushing It is pushed to.", "False NotPaused"],
  [{ phase: "dry-run", message: "3 to set, 0 to delete" }, "False DryRun 3 to set, 0 to delete", "False NotPaused"],
  [{ phase: "failing", message: "edge1: no answer" }, "False Failing edge1: no answer", "False NotPaused"],
  [
    { phase: "open", message: "left alone until 2027-01-15T08:00:00.000Z after 5 failures in a row: edge1: no answer" },
    "False Open edge1: no answer",
    "False NotPaused",
  ],
  [{ phase: "paused", message: "by a: asked for" }, "False Paused by a: asked for", "True Paused"],
  [{ phase: "standby" }, "False Standby Another node writes to it.", "False NotPaused"],
];
test.each(PHASES)("of a router that is at %j is said", (state, ready, paused) => {
  const found = conditionsOf(told("Router"), { router: { ...ROUTER, ...state } }, NOW_MS) ?? [];
  const said = found.map(({ type, status, reason, message }) => [type, `${status} ${reason}`, message] as const);
  expect(said.map(([type]) => type)).toEqual(["Accepted", "Ready", "Paused"]);
  expect([said[1]?.slice(1).join(" "), said[2]?.[1]]).toEqual([ready, paused]);
});

test("a router that nobody follows is not ready, and one that is pushed to is what it was with these settings", () => {
  const reasons = (conditions: readonly Condition[] = []) => conditions.map(({ type, reason }) => `${type} ${reason}`);
  expect(reasons(conditionsOf(told("Router"), {}, NOW_MS))).toEqual(["Accepted Accepted", "Ready Starting"]);
  expect(reasons(conditionsOf(told("Router"), { refusal: REFUSAL }, NOW_MS))).toEqual([
    "Accepted Invalid",
    "Ready NotAccepted",
  ]);
  const first = conditionsOf(told("Router"), { router: ROUTER }, NOW_MS) ?? [];
  const pushing: Known = { router: { ...ROUTER, phase: "pushing" } };
  expect(conditionsOf(told("Router", first), pushing, NOW_MS + 60_000)).toBeUndefined();
  const other = conditionsOf(told("Router", first, 2), pushing, NOW_MS + 60_000);
  expect(reasons(other)).toEqual(["Accepted Accepted", "Ready Pushing", "Paused NotPaused"]);
});

test("a router of which a change is refused is not ready, and what it has come to without that is said", () => {
  const said = (conditions: readonly Condition[], known: Known, generation = 2) =>
    conditionsOf(told("Router", conditions, generation), known, NOW_MS);
  const first = said([], { router: ROUTER }, 1) ?? [];
  const refused = said(first, { refusal: REFUSAL, router: ROUTER }) ?? [];
  const ready = "Ready False NotAccepted Accepted says why. With the settings of before: ";
  expect(refused.map(({ type, status, reason, message }) => `${type} ${status} ${reason} ${message}`)).toEqual([
    "Accepted False Invalid spec.mtu: no",
    `${ready}It has what it should.`,
    "Paused False NotPaused It is pushed to when that is due.",
  ]);
  const silent: RouterState = { ...ROUTER, phase: "failing", message: "edge1: no answer" };
  const failing = said(refused, { refusal: REFUSAL, router: silent }) ?? [];
  expect(failing[1]).toMatchObject({ status: "False", reason: "NotAccepted" });
  expect(failing[1]?.message).toBe("Accepted says why. With the settings of before: edge1: no answer");
  // What it is pushed by pods that come and go is no news here either.
  const pushing: RouterState = { ...ROUTER, phase: "pushing" };
  expect(said(refused, { refusal: REFUSAL, router: pushing })).toBeUndefined();
  // What is refused without a change, as when a pool goes, and is taken again is not what it was.
  const reasons = (conditions: readonly Condition[] = []) => conditions.map(({ reason }) => reason);
  const here = said(first, { refusal: REFUSAL, router: pushing }, 1);
  expect(reasons(here)).toEqual(["Invalid", "NotAccepted", "NotPaused"]);
  expect(reasons(said(here ?? [], { router: pushing }, 1))).toEqual(["Accepted", "Pushing", "NotPaused"]);
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

test("there are cases", () =>
  expect([CASES.length, COUNTS.length, PHASES.length].every((count) => count > 5)).toBe(true));
