import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import type { RouterState } from "../edge/router-status.ts";
import { isNews, type RouterSaid, readRouterSaid, routerSaid } from "./router-said.ts";

const PUSHED_MS = Date.UTC(2027, 0, 15, 8);
const STATE: RouterState = {
  phase: "in-sync",
  message: "",
  version: "1.4.1",
  writer: "a",
  revision: 7,
  lastPush: { revision: 7, atMs: PUSHED_MS, result: "done" },
};
const SAID: RouterSaid = {
  version: "1.4.1",
  writer: "a",
  lastPush: { revision: 7, time: "2027-01-15T08:00:00Z", result: "done" },
};

test("what is not known is what was said, but for who writes; and what is said is read again", () => {
  expect(routerSaid(STATE)).toEqual(SAID);
  expect(routerSaid({ ...STATE, version: "", writer: "", lastPush: undefined })).toEqual({});
  const { writer: _, ...others } = SAID;
  expect(routerSaid({ ...STATE, version: "", writer: "", lastPush: undefined }, SAID)).toEqual(others);
  expect(routerSaid({ ...STATE, version: "1.5" }, SAID)).toEqual({ ...SAID, version: "1.5" });
  expect(routerSaid({ ...STATE, version: `1.4${"x".repeat(300)}` }).version).toHaveLength(253);
  for (const said of [SAID, {}]) expect(readRouterSaid(root(said))).toEqual(said);
  expect(readRouterSaid(root(undefined))).toEqual({});
});

const later = (revision: number): RouterSaid => ({
  ...SAID,
  lastPush: { revision, time: "2027-01-15T08:00:20Z", result: "done" },
});
const CASES: readonly (readonly [what: string, before: RouterSaid, now: RouterSaid, afterMs: number, is: boolean])[] = [
  ["the same", SAID, SAID, 600_000, false],
  ["nothing, as before", {}, {}, 0, false],
  ["the first push", { version: "1.4.1", writer: "a" }, SAID, 0, true],
  ["another version", SAID, { ...SAID, version: "1.5" }, 1_000, true],
  ["another writer", SAID, { ...SAID, writer: "b" }, 1_000, true],
  ["a push soon after the one that was said", SAID, later(8), 20_000, false],
  ["the same a minute after that", SAID, later(8), 60_000, true],
];
test.each(CASES)("%s", (_what, before, now, afterMs, is) => expect(isNews(before, now, PUSHED_MS + afterMs)).toBe(is));

test("a router that is pushed to every second is written of once a minute", () => {
  let [said, writes] = [SAID, 0];
  for (let second = 1; second <= 600; second++) {
    const atMs = PUSHED_MS + second * 1_000;
    const now = routerSaid({ ...STATE, lastPush: { revision: 7 + second, atMs, result: "done" } });
    if (!isNews(said, now, atMs)) continue;
    said = now;
    writes += 1;
  }
  expect(writes).toBe(10);
});

test("there are cases", () => expect(CASES.length).toBeGreaterThan(5));
