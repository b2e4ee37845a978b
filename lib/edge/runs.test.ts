import { expect, test } from "@jest/globals";
import { type Address, address, fromNumber, toNumber } from "#lib/address.ts";
import { fc } from "../../test/support/property.ts";
import { runs } from "./runs.ts";

test.each<[of: string[], expected: string[]]>([
  [[], []],
  [["10.66.0.5"], ["10.66.0.5"]],
  [["10.66.0.10", "10.66.0.9", "10.66.0.9"], ["10.66.0.9-10.66.0.10"]],
  [
    ["10.66.0.5", "10.66.0.7"],
    ["10.66.0.5", "10.66.0.7"],
  ],
  [["10.66.0.255", "10.66.1.0", "10.66.1.1"], ["10.66.0.255-10.66.1.1"]],
  [
    ["fd66::ffff", "fd66::1:0", "fd66::9"],
    ["fd66::9", "fd66::ffff-fd66::1:0"],
  ],
])("%j is %j", (of, expected) => expect(runs(of.map((each) => address(each)))).toEqual(expected));

const near = fc.integer({ min: 0, max: 40 }).map((n) => fromNumber(0x0a42_00f0n + BigInt(n), 4));

test("exactly the same addresses, by runs that do not touch", () =>
  fc.assert(
    fc.property(fc.array(near, { maxLength: 30 }), (addresses) => {
      const ends = runs(addresses).map((run) => run.split("-").map((end) => toNumber(end as Address)));
      const inside = ends.flatMap(([first = 0n, last = first]) =>
        Array.from({ length: Number(last - first) + 1 }, (_, i) => fromNumber(first + BigInt(i), 4)),
      );
      expect(inside).toEqual([...new Set(addresses.map(toNumber))].sort().map((n) => fromNumber(n, 4)));
      for (const [i, [first = 0n]] of ends.entries())
        if (i > 0) expect(first - (ends[i - 1]?.at(-1) ?? 0n)).toBeGreaterThan(1n);
    }),
  ));
