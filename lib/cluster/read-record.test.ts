import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { readNode, readWant } from "./read-record.ts";

const NODE = {
  name: "a",
  uid: "a-1",
  addresses: ["192.0.2.1"],
  segments: ["192.0.2.0/24"],
  ways: ["direct"],
  tunnelAddresses: [],
  tunnelMac: "02:00:00:00:00:01",
  echoPort: 4_796,
};
const WANT = { pool: "std", family: 4, node: "a", uid: "a-1", round: 3 };

test("a node of before does not tell what its links take", () =>
  expect(readNode(root(NODE, "nodes/a"))).not.toHaveProperty("mtuBytes"));

test.each([[68], [1_500], [65_536]])("one that tells %i is believed", (mtuBytes) =>
  expect(readNode(root({ ...NODE, mtuBytes }, "nodes/a")).mtuBytes).toBe(mtuBytes),
);

test.each([[0], [67], [65_537], ["1500"], [1_499.5]])("one that tells %j is not", (mtuBytes) =>
  expect(() => readNode(root({ ...NODE, mtuBytes }, "nodes/a"))).toThrow(/^nodes\/a\.mtuBytes: /),
);

test("a want of before is one that a pod waits for", () => {
  expect(readWant(root(WANT, "wants/std/4/a"))).toEqual(WANT);
  expect(readWant(root({ ...WANT, ahead: false }, "wants/std/4/a"))).toEqual(WANT);
  expect(readWant(root({ ...WANT, ahead: true }, "wants/std/4/a"))).toEqual({ ...WANT, ahead: true });
});
