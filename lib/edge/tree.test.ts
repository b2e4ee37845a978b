import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { cut, linesOf, nodeAt, treeOf } from "./tree.ts";

/** As a real 1.4 answers `showConfig`. */
const ANSWER = {
  static: {
    route: {
      "10.70.0.0/24": { blackhole: {} },
      "10.71.0.0/24": { "next-hop": { "192.0.2.1": { distance: "20" }, "192.0.2.2": {} }, description: "two words" },
    },
  },
  group: { "network-group": { G: { network: ["10.0.0.0/8", "10.1.0.0/16"] } } },
};

test("leaves with one value, several and none become lines", () => {
  const tree = treeOf(root(ANSWER));
  expect(linesOf(tree)).toEqual([
    "static route 10.70.0.0/24 blackhole",
    "static route 10.71.0.0/24 next-hop 192.0.2.1 distance 20",
    "static route 10.71.0.0/24 next-hop 192.0.2.2",
    "static route 10.71.0.0/24 description 'two words'",
    "group network-group G network 10.0.0.0/8",
    "group network-group G network 10.1.0.0/16",
  ]);
  expect(cut(tree, ["static", "route", "10.70.0.0/24"])).toBe(true);
  expect(cut(tree, ["static", "route", "10.70.0.0/24"])).toBe(false);
  expect(nodeAt(tree, ["static", "route"])?.size).toBe(1);
});

test.each<[value: unknown, message: string]>([
  ["text", 'protocols: "text" is not an object'],
  [{ a: 7 }, "protocols a: 7 is not an object"],
  [{ a: ["x", 7] }, 'protocols a: ["x",7] is not a list of texts'],
  [{ a: { b: null } }, "protocols a b: is missing; it must be an object"],
])("%j is no configuration", (value, message) => expect(() => treeOf(root(value, "protocols"))).toThrow(message));
