import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { oneByOne, slices, slicesAsMade } from "./slices.ts";

async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of of) found.push(each);
  return found;
}

test.each([
  [0, []],
  [2, [[0, 1]]],
  [3, [[0, 1, 2]]],
  [7, [[0, 1, 2], [3, 4, 5], [6]]],
])("%i items, three at once", async (count, parts) => {
  expect(await all(slices(Array(count).keys(), 3))).toEqual(parts);
  expect(await all(oneByOne(Array(count).keys(), 3))).toEqual(parts.flat());
});

test("other work has its turn before each slice", async () => {
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) await turn();
  })();
  const seen: number[] = [];
  for await (const _ of slices([1, 2, 3], 1)) seen.push(turns);
  isOver = true;
  await others;
  expect(new Set(seen).size).toBe(3);
});

test("what comes to the items meanwhile is not among them", async () => {
  const items = new Set([1, 2]);
  const seen: number[] = [];
  for await (const [item = 0] of slices(items, 1)) {
    items.add(item + 10);
    seen.push(item);
  }
  expect(seen).toEqual([1, 2]);
});

test("items that are made when they are asked for are never all there", async () => {
  let made = 0;
  function* items(): Generator<number> {
    for (; made < 7; made++) yield made;
  }
  const seen: number[] = [];
  for await (const slice of slicesAsMade(items(), 3)) seen.push(slice.length, made);
  expect(seen).toEqual([3, 2, 3, 5, 1, 7]);
});
