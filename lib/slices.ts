/** A long list in parts, so that other work has its turn in between. */
import { setImmediate as turn } from "node:timers/promises";

/** The items in their order, at most `size` of them at once; before each slice the event loop has its turn. */
export async function* slices<T>(items: Iterable<T>, size: number): AsyncGenerator<readonly T[]> {
  const all = [...items];
  for (let from = 0; from < all.length; from += size) {
    await turn();
    yield all.slice(from, from + size);
  }
}

/** Each of the items in their order; the event loop has its turn before every `size` of them. */
export async function* oneByOne<T>(items: Iterable<T>, size: number): AsyncGenerator<T> {
  // Not `yield*`, which awaits every item once more.
  for await (const some of slices(items, size)) for (const item of some) yield item;
}
