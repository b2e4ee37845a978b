import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import type { NeighbourFact } from "#lib/state/fact.ts";
import { dismissed } from "./dismissed.ts";

const neighbour = (last: number): NeighbourFact => ({
  type: "neighbour",
  at: "host",
  link: "svx4",
  address: address(`10.66.0.${last}`),
  mac: mac("02:00:00:00:00:01"),
});

test("what we took away is known once, unless it is to be there again", () => {
  const gone = dismissed(() => 0);
  gone.add(neighbour(1));
  gone.add(neighbour(2));
  gone.delete(neighbour(2));
  expect([gone.was(neighbour(1)), gone.was(neighbour(1)), gone.was(neighbour(2)), gone.was(neighbour(3))]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("what was never told of is forgotten", () => {
  let nowMs = 0;
  const gone = dismissed(() => nowMs);
  gone.add(neighbour(1));
  nowMs = 9_000;
  gone.add(neighbour(2));
  nowMs = 11_000;
  gone.add(neighbour(3));
  expect([gone.was(neighbour(1)), gone.was(neighbour(2)), gone.was(neighbour(3))]).toEqual([false, true, true]);
});
