import { expect, test } from "@jest/globals";
import { contains, fromNumber, prefix, rangeOf, withLength } from "#lib/address.ts";
import { fc } from "../../test/support/property.ts";
import { disjoint } from "./disjoint.ts";

test.each([
  [[], []],
  [["10.1.0.5/16"], ["10.1.0.0/16"]],
  [["10.1.0.0/16", "10.0.0.0/8", "10.1.0.0/16"], ["10.0.0.0/8"]],
  [
    ["10.2.0.0/16", "10.1.0.0/16"],
    ["10.1.0.0/16", "10.2.0.0/16"],
  ],
  [
    ["fd00::/64", "0.0.0.0/0", "fd00::/48"],
    ["0.0.0.0/0", "fd00::/48"],
  ],
])("%j covers the same as %j", (given, made) => expect(disjoint(given.map((p) => prefix(p)))).toEqual(made));

const some = fc.array(
  fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), fc.integer({ min: 0, max: 32 }))
    .map(([n, length]) => withLength(fromNumber(n, 4), length)),
  { maxLength: 12 },
);
test("nothing is lost, nothing overlaps, and the order of the input does not matter", () =>
  fc.assert(
    fc.property(some, (prefixes) => {
      const made = disjoint(prefixes);
      for (const p of prefixes) expect(made.some((m) => contains(m, fromNumber(rangeOf(p).first, 4)))).toBe(true);
      const ranges = made.map(rangeOf);
      for (const [i, range] of ranges.entries()) {
        const next = ranges[i + 1];
        if (next !== undefined) expect(range.last < next.first).toBe(true);
      }
      expect(disjoint([...prefixes].reverse())).toEqual(made);
    }),
  ));
