import { expect, test } from "@jest/globals";
import { contains, fromNumber, networkOf, type Prefix, prefix, rangeOf } from "#lib/address.ts";
import { fc } from "../../test/support/property.ts";
import { summary } from "./summary.ts";

test.each<[of: string[], expected: string[]]>([
  [[], []],
  [["10.0.0.0/25", "10.0.0.128/25"], ["10.0.0.0/24"]],
  [
    ["10.0.0.128/25", "10.0.1.0/25"],
    ["10.0.0.128/25", "10.0.1.0/25"],
  ],
  [["10.0.0.0/24", "10.0.0.7/32", "10.0.0.0/24"], ["10.0.0.0/24"]],
  [["10.0.3.0/24", "10.0.0.0/24", "10.0.2.0/24", "10.0.1.0/24"], ["10.0.0.0/22"]],
  [
    ["fd00::/65", "10.0.0.0/32", "fd00:0:0:0:8000::/65"],
    ["10.0.0.0/32", "fd00::/64"],
  ],
  [["128.0.0.0/1", "0.0.0.0/1"], ["0.0.0.0/0"]],
])("%j is %j", (of, expected) => expect(summary(of.map((each) => prefix(each)))).toEqual(expected));

/** Within 10.0.0.0/26, so that they meet. */
const small = fc
  .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 26, max: 32 }))
  .map(([n, length]) => networkOf(prefix(`10.0.0.${n}/${length}`)));

test("the same addresses, by prefixes of which no two meet or make one", () =>
  fc.assert(
    fc.property(fc.array(small, { maxLength: 20 }), (prefixes) => {
      const found = summary(prefixes);
      const isIn = (list: readonly Prefix[], n: number) =>
        list.filter((each) => contains(each, fromNumber(0x0a00_0000n + BigInt(n), 4))).length;
      for (let n = 0; n < 64; n++) expect(isIn(found, n)).toBe(Math.min(1, isIn(prefixes, n)));
      const halves = found
        .map((each) => rangeOf(each))
        .filter(({ first, last }, i, all) => {
          const next = all[i + 1];
          const size = last - first + 1n;
          return (
            next !== undefined &&
            next.last - next.first + 1n === size &&
            next.first === last + 1n &&
            first % (2n * size) === 0n
          );
        });
      expect(halves).toEqual([]);
    }),
  ));
