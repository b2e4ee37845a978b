import { expect, test } from "@jest/globals";
import { address, type Family, fromNumber, prefix } from "#lib/address.ts";
import { blockKey, blocksOf, pieces } from "./blocks.ts";
import type { Block } from "./objects.ts";

const block = (cidr: string, ...except: string[]): Block => ({
  cidr: prefix(cidr),
  except: except.map((each) => prefix(each)),
});
const cut = (of: Family, ...blocks: Block[]) => pieces(new Map(blocks.map((each) => [blockKey(each), each])), of);
const shown = (of: Family, ...blocks: Block[]) =>
  cut(of, ...blocks).map(
    ({ first, last, blocks: within }) => `${fromNumber(first, of)}-${fromNumber(last, of)}: ${within.join(" and ")}`,
  );

test("a block within another cuts it in three, and what is excepted is a gap", () =>
  expect(shown(4, block("10.0.0.0/8"), block("10.1.0.0/16", "10.1.1.0/24"))).toEqual([
    "10.0.0.0-10.0.255.255: 10.0.0.0/8",
    "10.1.0.0-10.1.0.255: 10.0.0.0/8 and 10.1.0.0/16 !10.1.1.0/24",
    "10.1.1.0-10.1.1.255: 10.0.0.0/8",
    "10.1.2.0-10.1.255.255: 10.0.0.0/8 and 10.1.0.0/16 !10.1.1.0/24",
    "10.2.0.0-10.255.255.255: 10.0.0.0/8",
  ]));

test("the ends of the address space, exceptions within exceptions, and the other family", () => {
  expect(shown(4, block("0.0.0.0/0", "128.0.0.0/1", "192.0.0.0/2"))).toEqual([
    "0.0.0.0-127.255.255.255: 0.0.0.0/0 !128.0.0.0/1 !192.0.0.0/2",
  ]);
  expect(shown(6, block("::/0", "8000::/1"), block("10.0.0.0/8"))).toEqual([
    "::-7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff: ::/0 !8000::/1",
  ]);
  expect(shown(4)).toEqual([]);
});

test("host bits and order make no other block", () => {
  const key = blockKey(block("10.0.0.0/8", "10.2.0.0/16", "10.1.0.0/16"));
  expect(blockKey(block("10.9.9.9/8", "10.1.0.7/16", "10.2.0.0/16", "10.1.0.0/16"))).toBe(key);
});

test("an address is found in its piece", () => {
  const all = cut(4, block("10.0.0.0/8", "10.1.0.0/16"), block("192.0.2.7/32"));
  const within = (text: string) => blocksOf(all, address(text));
  expect(within("10.0.0.0")).toEqual(["10.0.0.0/8 !10.1.0.0/16"]);
  expect(within("10.1.0.0")).toEqual([]);
  expect(within("10.2.0.0")).toEqual(["10.0.0.0/8 !10.1.0.0/16"]);
  expect(within("192.0.2.7")).toEqual(["192.0.2.7/32"]);
  expect(within("192.0.2.8")).toEqual([]);
});
