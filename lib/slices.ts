/** A long list in parts, so that other work has its turn in between. */
import { setImmediate as turn } from "node:timers/promises";

/** The items in their order, at most `size` of them at once; before each slice the event loop has its turn. */
export async function* slices<T>(items: Iterable<T>, size: number): AsyncGenerator<readonly T[]> {
  yield* slicesAsMade([...items], size);
}

/** The same of items that are made when they are asked for, so that never all of them are there. What is changed in between shows. */
export async function* slicesAsMade<T>(items: Iterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let slice: T[] = [];
  await turn();
  for (const item of items) {
    slice.push(item);
    if (slice.length < size) continue;
    yield slice;
    slice = [];
    await turn();
  }
  if (slice.length > 0) yield slice;
}

/** Each of the items in their order; the event loop has its turn before every `size` of them. */
export async function* oneByOne<T>(items: Iterable<T>, size: number): AsyncGenerator<T> {
  // Not `yield*`, which awaits every item once more.
  for await (const some of slices(items, size)) for (const item of some) yield item;
}
