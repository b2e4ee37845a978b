import { expect, test } from "@jest/globals";
import { contains, type Prefix, prefix } from "#lib/address.ts";
import { blockLength, blockOf, cut } from "#lib/ipam/cut.ts";
import { readPools } from "#lib/ipam/read-pool.ts";
import type { ShareUse } from "#lib/ipam/sharing.ts";
import { supply } from "#lib/ipam/supply.ts";
import { root } from "#lib/parse.ts";
import { fc } from "../../test/support/property.ts";
import { blocksText, isShort, lending, nextBlock, surplus, turn } from "./blocks.ts";

const pool = (ranges: unknown, exclude: readonly string[] = [], blocks = { 4: 26, 6: 122 }) => {
  const [made] = readPools(root([{ name: "std", ranges, exclude, blocks }], "pools"));
  if (made === undefined) throw new Error("no pool");
  return made;
};
const cutOf = (of: ReturnType<typeof pool>, set = 0) => {
  const { usable, family: f } = supply(of.sets[set] ?? [], of.exclude);
  return cut(usable, f, blockLength(of, f));
};
const listed = (of: ReturnType<typeof cutOf>): Prefix[] =>
  Array.from({ length: Number(of.count) }, (_, i) => of.at(BigInt(i)));

const CUTS: [name: string, ranges: unknown, exclude: string[], blocks: string[]][] = [
  ["a subnet", [[{ subnet: "10.1.0.0/24" }]], [], ["10.1.0.0/26", "10.1.0.64/26", "10.1.0.128/26", "10.1.0.192/26"]],
  [
    "a range begins and ends anywhere",
    [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.70", rangeEnd: "10.1.0.130" }]],
    [],
    ["10.1.0.64/26", "10.1.0.128/26"],
  ],
  ["a subnet smaller than a block is one", [[{ subnet: "10.1.0.0/28" }]], [], ["10.1.0.0/28"]],
  [
    "the smallest subnet is the measure",
    [[{ subnet: "10.1.0.0/27" }, { subnet: "10.2.0.0/28" }]],
    [],
    ["10.1.0.0/28", "10.1.0.16/28", "10.2.0.0/28"],
  ],
  ["a block without any address for a pod is none", [[{ subnet: "10.1.0.0/25" }]], ["10.1.0.64/26"], ["10.1.0.0/26"]],
  [
    "two ranges in one block",
    [
      [
        { subnet: "10.1.0.0/24", rangeStart: "10.1.0.3", rangeEnd: "10.1.0.9" },
        { subnet: "10.1.0.0/24", rangeStart: "10.1.0.20", rangeEnd: "10.1.0.30" },
      ],
    ],
    [],
    ["10.1.0.0/26"],
  ],
];
test.each(CUTS)("cut: %s", (_name, ranges, exclude, expected) => {
  expect(listed(cutOf(pool(ranges, exclude)))).toEqual(expected);
});
test("the table of cuts has cases", () => expect(CUTS.length).toBeGreaterThan(0));

test("a /64 is cut without being listed, and every address is in the block that it is said to be in", () => {
  const of = pool([[{ subnet: "fd00::/64" }]]);
  const it = cutOf(of);
  expect(it.count).toBe(1n << 58n);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: it.count - 1n }), (n) => {
      const block = it.at(n);
      expect(block.endsWith("/122")).toBe(true);
      const inside = block.slice(0, block.indexOf("/")) as Parameters<typeof blockOf>[1];
      expect(blockOf(of, inside)).toBe(block);
      expect(contains(prefix("fd00::/64"), inside)).toBe(true);
    }),
  );
});

test("nodes begin at places of their own, each the same every time, and find every block before they give up", () => {
  const it = cutOf(pool([[{ subnet: "10.1.0.0/20" }]]));
  const first = (node: string) => nextBlock(it, node, () => false);
  expect(first("alpha")).toBe(first("alpha"));
  const starts = new Set(Array.from({ length: 40 }, (_, i) => first(`node-${i}`)));
  expect(starts.size).toBeGreaterThan(20);
  fc.assert(
    fc.property(fc.string(), fc.nat(63), (node, taken) => {
      const owned = new Set(listed(it).filter((_, i) => i !== taken));
      expect(nextBlock(it, node, (block) => owned.has(block))).toBe(listed(it)[taken]);
    }),
  );
  expect(nextBlock(it, "alpha", () => true)).toBeUndefined();
});

test.each([
  ["nothing yet", 0n, 0n, false, true],
  ["a quarter is free", 64n, 16n, false, false],
  ["less than a quarter is free", 64n, 15n, false, true],
  ["nothing to take: the last address counts", 64n, 1n, true, false],
  ["nothing to take and nothing left", 64n, 0n, true, true],
])("another block is taken ahead of need: %s", (_name, size, free, isAllOwned, expected) => {
  expect(isShort({ size, free }, isAllOwned)).toBe(expected);
});

const use = (of: string, used: number, cooling = 0): ShareUse => {
  const size = of.endsWith("/32") ? 1 : 64;
  return { share: { pool: "std", prefix: prefix(of), without: [] }, size, used, cooling, free: size - used - cooling };
};
const SURPLUS: [name: string, uses: ShareUse[], given: string[]][] = [
  ["one block stays", [use("10.1.0.0/26", 0)], []],
  ["a second that is empty goes", [use("10.1.0.0/26", 3), use("10.1.0.64/26", 0)], ["10.1.0.64/26"]],
  ["while the first is half full it stays", [use("10.1.0.0/26", 33), use("10.1.0.64/26", 0)], []],
  ["what cools down is used", [use("10.1.0.0/26", 0), use("10.1.0.64/26", 0, 1)], ["10.1.0.0/26"]],
  [
    "borrowed addresses go first",
    [use("10.1.0.0/26", 10), use("10.9.0.1/32", 0), use("10.1.0.64/26", 0)],
    ["10.9.0.1/32", "10.1.0.64/26"],
  ],
  ["the last that is borrowed goes, too", [use("10.9.0.1/32", 0)], ["10.9.0.1/32"]],
];
test.each(SURPLUS)("what is given back: %s", (_name, uses, given) => {
  const isBlock = ({ share }: ShareUse) => !share.prefix.endsWith("/32");
  expect(surplus(uses, isBlock).map(({ share }) => share.prefix)).toEqual(given);
});
test("the table of what is given back has cases", () => expect(SURPLUS.length).toBeGreaterThan(0));

test("who gives something back does not need to take it again", () => {
  const blocks = fc.array(fc.record({ used: fc.nat(64), cooling: fc.constant(0) }), { maxLength: 6 });
  fc.assert(
    fc.property(blocks, (of) => {
      const uses = of.map(({ used }, i) => use(`10.1.${i}.0/26`, used));
      const given = new Set(surplus(uses, () => true));
      if (given.size === 0) return;
      const rest = uses.filter((each) => !given.has(each));
      const size = BigInt(rest.reduce((sum, each) => sum + each.size, 0));
      const free = BigInt(rest.reduce((sum, each) => sum + each.free, 0));
      expect(isShort({ size, free }, false)).toBe(false);
    }),
  );
});

test("few owners lend at first, with each round more, and at most half of what they have", () => {
  const owners = Array.from({ length: 100 }, (_, i) => `node-${i}`);
  const want = (round: number) => ({ pool: "std", family: 4, node: "poor", uid: "p", round }) as const;
  const lenders = (round: number) => owners.filter((node) => lending(want(round), node, owners, 20) > 0).length;
  expect([0, 1, 2, 5].map(lenders)).toEqual([4, 8, 16, 100]);
  expect([0, 1, 2, 5, 100].map((free) => lending(want(9), "node-1", owners, free))).toEqual([0, 1, 1, 3, 8]);
  const ahead = { ...want(9), ahead: true } as const;
  expect([0, 1, 2, 5, 100].map((free) => lending(ahead, "node-1", owners, free))).toEqual([0, 0, 1, 2, 8]);
  // Who has several blocks counts once.
  expect(
    [0, 1, 2, 5].map((round) => owners.filter((node) => lending(want(round), node, [...owners, ...owners], 20))),
  ).toEqual([0, 1, 2, 5].map((round) => owners.filter((node) => lending(want(round), node, owners, 20))));
});

test("most owners know soon that others are asked", () => {
  let looked = 0;
  function* owners() {
    for (let i = 0; i < 1_000; i++, looked++) yield `node-${i}`;
  }
  for (let i = 0; i < 1_000; i++)
    lending({ pool: "std", family: 4, node: "poor", uid: "p", round: 0 }, `node-${i}`, owners(), 20);
  expect(looked).toBeLessThan(100_000);
});

test("the turns of nodes are all different and do not depend on who computes them", () => {
  const nodes = ["a", "b", "c", "d"];
  expect(nodes.map((node) => turn(node, "uid", nodes)).sort()).toEqual([0, 1, 2, 3]);
});

test("blocks in words", () => {
  expect(blocksText({ blocks: 64n, own: 3, unowned: 0n, borrowed: 12 })).toBe(
    "64 blocks, 3 of this node full, none free, 12 borrowed",
  );
  expect(blocksText({ blocks: 1n, own: 0, unowned: 1n, borrowed: 0 })).toBe(
    "1 block, 0 of this node full, 1 free, 0 borrowed",
  );
});
