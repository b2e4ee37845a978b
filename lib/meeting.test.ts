import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { meeting, type Span } from "./meeting.ts";

const span = (of: number, first: number, last: number, place = ""): Span => ({
  of,
  place,
  first: BigInt(first),
  last: BigInt(last),
});

test("both ends belong to a span, and one may hold others", () =>
  expect(meeting([span(0, 0, 9), span(1, 10, 19), span(2, 19, 30), span(3, 0, 40)])).toEqual([
    [2, 1],
    [3, 0],
    [3, 1],
    [3, 2],
  ]));

test("spans of one, and of different places, do not meet", () =>
  expect(meeting([span(0, 0, 9), span(0, 5, 6), span(1, 0, 9, "elsewhere")])).toEqual([]));

test("two that meet in several places are one pair", () =>
  expect(meeting([span(1, 0, 9), span(1, 20, 29, "b"), span(0, 5, 6), span(0, 20, 20, "b")])).toEqual([[1, 0]]));

const spans = fc.array(
  fc
    .tuple(fc.nat(6), fc.nat(30), fc.nat(8), fc.constantFrom("a", "b"))
    .map(([of, first, more, place]) => span(of, first, first + more, place)),
);

test("they are what comparing each with each finds", () =>
  fc.assert(
    fc.property(spans, (all) => {
      const isPair = (later: number, earlier: number): boolean =>
        all.some(
          (one) =>
            one.of === later &&
            all.some(
              (other) =>
                other.of === earlier && other.place === one.place && one.first <= other.last && other.first <= one.last,
            ),
        );
      const indexes = [0, 1, 2, 3, 4, 5, 6];
      const pairs = indexes.flatMap((later) =>
        indexes.filter((earlier) => earlier < later && isPair(later, earlier)).map((earlier) => [later, earlier]),
      );
      expect(meeting(all)).toEqual(pairs);
    }),
  ));
