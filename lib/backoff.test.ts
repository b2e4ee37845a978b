import { expect, test } from "@jest/globals";
import { backoff } from "./backoff.ts";

test.each([
  [0, [50, 100, 150, 150, 50]],
  [0.5, [75, 150, 225, 225, 75]],
])("doubles up to its limit; of each a random part (%d)", (part, expected) => {
  const { next, reset } = backoff({ firstMs: 100, longestMs: 300, random: () => part });
  const waits = [next(), next(), next(), next()];
  reset();
  expect([...waits, next()]).toEqual(expected);
});
