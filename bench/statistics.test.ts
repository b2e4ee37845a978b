import { expect, test } from "@jest/globals";
import { mean, median, quantile, summary } from "./statistics.ts";

const quantiles: [values: readonly number[], share: number, expected: number][] = [
  [[7], 0.5, 7],
  [[7], 0.99, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 3, 2, 1], 0.5, 2],
  [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.99, 10],
  [Array.from({ length: 100 }, (_, i) => i + 1), 0.99, 99],
  [Array.from({ length: 200 }, (_, i) => i + 1), 0.99, 198],
  [[2, 1, 3], 1, 3],
];

test.each(quantiles)("%j at %p is %p", (values, share, expected) => {
  expect(quantile(values, share)).toBe(expected);
});

test("the table has cases", () => expect(quantiles.length).toBe(8));

test("without values there is no quantile", () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError);
  expect(() => median([])).toThrow("no values to take a quantile of");
});

test("values are left in their order", () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

test("a summary", () => expect(summary([30, 10, 20])).toEqual({ count: 3, p50: 20, p99: 30, least: 10 }));

test("a mean", () => expect(mean([1, 2, 6])).toBe(3));
