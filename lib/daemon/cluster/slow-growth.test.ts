import { expect, test } from "@jest/globals";
import { slowGrowth } from "./slow-growth.ts";

const STEPS: readonly [atMs: number, seen: number | undefined, counts: number][] = [
  [0, 9_000, 1_500],
  [1_999, undefined, 1_500],
  [2_000, undefined, 9_000],
  [2_100, 1_400, 1_400],
  [2_200, 1_500, 1_400],
  [4_100, 9_000, 1_400],
  [4_200, undefined, 1_400],
  [6_000, 9_000, 1_400],
  [6_100, undefined, 9_000],
  [6_200, 9_500, 9_000],
  [6_300, 9_000, 9_000],
  [9_000, undefined, 9_000],
];

test("smaller at once, larger after a while, and not at all when it was not for long", () => {
  let nowMs = 0;
  const growth = slowGrowth(1_500, 2_000, () => nowMs);
  const counted = STEPS.map(([atMs, size]) => {
    nowMs = atMs;
    if (size !== undefined) growth.seen(size);
    return growth.size;
  });
  expect(counted).toEqual(STEPS.map(([, , counts]) => counts));
});
