import { expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import type { Qos } from "#lib/qos.ts";
import { lines } from "../../test/attach/sample.ts";
import { markElements, markingChains } from "./marking.ts";

const sender = { inet: "sv1", mac: mac("02:00:00:00:00:01") };
const key = "sv1 . 02:00:00:00:00:01";

const cases: readonly [name: string, qos: Qos, codePoint: string, priority: string][] = [
  ["a priority follows from the code point", { dscp: 46 }, "1:2e", "0:6"],
  ["code point 0 is one", { dscp: 0 }, "1:0", "0:0"],
  ["the lowest effort", { dscp: 8 }, "1:8", "0:1"],
  ["a priority of one's own", { dscp: 46, priority: 2 }, "1:2e", "0:2"],
  ["a priority alone leaves the code point", { priority: 7 }, "1:ff", "0:7"],
];
test.each(cases)("%s", (_name, qos, codePoint, priority) =>
  expect(lines(markElements(sender, qos))).toEqual([
    `+ element inet selvedge code_point { ${key} : ${codePoint} }`,
    `+ element inet selvedge prio_class { ${key} : ${priority} }`,
    `+ element inet selvedge marked { ${key} }`,
  ]),
);
test("the table has cases", () => expect(cases.length).toBe(5));

test("rates alone mark nothing", () => expect(markElements(sender, { egressRate: 10_000 })).toEqual([]));

test("a port is marked in the bridge, and by the bridge's own link beyond it", () => {
  const families = markElements({ ...sender, inet: "br0", port: "sv1" }, { dscp: 1 }).map((e) => [e.family, e.key[0]]);
  expect(families).toEqual([...Array(3).fill(["inet", "br0"]), ...Array(3).fill(["bridge", "sv1"])]);
});

test("there is a chain for each code point, and one way to each", () => {
  const chains = markingChains();
  const jumps = chains.find(({ name }) => name === "remark")?.rules[1]?.match(/jump dscp\d+/g) ?? [];
  expect(jumps).toHaveLength(64);
  for (const jump of jumps) expect(chains.map(({ name }) => name)).toContain(jump.slice(5));
});
