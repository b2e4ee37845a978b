import { expect, test } from "@jest/globals";
import type { Family } from "#lib/address.ts";
import { fc } from "../../../test/support/property.ts";
import { question, type Said, said } from "./icmp.ts";

const ASKED = { id: 0x1234, sequence: 7 };

test("a question is as large as asked, and adds up", () => {
  expect(Buffer.from(question(4, { ...ASKED, packetBytes: 30 })).toString("hex")).toBe("0800e5c4123400070000");
  expect(question(4, { ...ASKED, packetBytes: 1_450 }).length).toBe(1_430);
  expect(question(6, { ...ASKED, packetBytes: 1_450 }).length).toBe(1_410);
});

const header = (of: Family): number[] => (of === 4 ? [0x45, ...new Array(19).fill(0)] : []);
const quoted = (of: Family): number[] => [
  ...(of === 4 ? header(4) : new Array(40).fill(0)),
  ...question(of, { ...ASKED, packetBytes: 0 }),
];
const about = (of: Family, type: number, code: number, ...rest: number[]): Uint8Array =>
  Uint8Array.from([...header(of), type, code, 0, 0, ...rest]);

const HEARD: readonly [what: string, of: Family, message: Uint8Array, said: Said | undefined][] = [
  ["the answer", 4, about(4, 0, 0, 0x12, 0x34, 0, 7), "answered"],
  ["the answer", 6, about(6, 129, 0, 0x12, 0x34, 0, 7), "answered"],
  ["the answer to another", 4, about(4, 0, 0, 0x12, 0x34, 0, 8), undefined],
  ["the question itself", 4, about(4, 8, 0, 0x12, 0x34, 0, 7), undefined],
  ["a hop limit", 4, about(4, 11, 0, 0, 0, 0, 0, ...quoted(4)), "exceeded"],
  ["a hop limit", 6, about(6, 3, 0, 0, 0, 0, 0, ...quoted(6)), "exceeded"],
  ["nobody there", 4, about(4, 3, 1, 0, 0, 0, 0, ...quoted(4)), "unreachable"],
  ["too large", 4, about(4, 3, 4, 0, 0, 5, 0, ...quoted(4)), "too-large"],
  ["too large", 6, about(6, 2, 0, 0, 0, 5, 0, ...quoted(6)), "too-large"],
  ["a complaint of another", 4, about(4, 3, 1, 0, 0, 0, 0, ...quoted(4).with(27, 9)), undefined],
];
test.each(HEARD)("%s, IPv%i", (_what, of, message, expected) => expect(said(of, message, ASKED)).toBe(expected));

test("no bytes crash the reader", () => {
  fc.assert(
    fc.property(fc.constantFrom<Family>(4, 6), fc.uint8Array({ maxLength: 80 }), (of, bytes) => {
      expect(["answered", "exceeded", "unreachable", "too-large", undefined]).toContain(said(of, bytes, ASKED));
    }),
  );
});
