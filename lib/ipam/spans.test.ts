import { expect, test } from "@jest/globals";
import { fc } from "../../test/support/property.ts";
import { spans } from "./spans.ts";

const step = fc.record({
  do: fc.constantFrom("add", "remove", "cut"),
  n: fc.bigInt(0n, 40n),
  length: fc.bigInt(0n, 8n),
});

test("any sequence of steps is what the same steps make of a plain set", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tested = spans([{ first: 5n, last: 20n }]);
      const plain = new Set(Array.from({ length: 16 }, (_, i) => BigInt(i) + 5n));
      for (const { do: verb, n, length } of steps) {
        if (verb === "add") expect(tested.add(n)).toBe(!plain.has(n) && plain.add(n) === plain);
        else if (verb === "remove") expect(tested.remove(n)).toBe(plain.delete(n));
        else {
          tested.cut({ first: n, last: n + length });
          for (let m = n; m <= n + length; m++) plain.delete(m);
        }
      }
      const members = [...plain].sort((a, b) => Number(a - b));
      expect(tested.list().flatMap(({ first, last }) => range(first, last))).toEqual(members);
      expect(tested.size).toBe(BigInt(plain.size));
      for (let n = 0n; n < 50n; n++) {
        expect(tested.has(n)).toBe(plain.has(n));
        expect(tested.from(n)).toBe(members.find((m) => m >= n));
      }
      const list = tested.list();
      for (const [i, span] of list.entries()) expect(span.first > (list[i - 1]?.last ?? -2n) + 1n).toBe(true);
    }),
  );
});

test("an IPv6 subnet costs one span", () => {
  const whole = spans([{ first: 0n, last: (1n << 64n) - 1n }]);
  whole.remove(7n);
  expect(whole.size).toBe((1n << 64n) - 1n);
  expect(whole.list()).toEqual([
    { first: 0n, last: 6n },
    { first: 8n, last: (1n << 64n) - 1n },
  ]);
});

const range = (first: bigint, last: bigint): bigint[] =>
  Array.from({ length: Number(last - first) + 1 }, (_, i) => first + BigInt(i));
