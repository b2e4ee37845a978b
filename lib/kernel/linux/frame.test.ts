import { expect, test } from "@jest/globals";
import { type Address, address, mac } from "#lib/address.ts";
import { fc } from "../../../test/support/property.ts";
import { arpProbe, claimOf, duplicateProbe, gratuitousArp, unsolicitedNa } from "./frame.ts";

const MAC = mac("02:00:00:00:00:05");
const V4 = address("10.1.0.5");
const V6 = address("fd00::1:2:3");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const frames: [name: string, frame: Uint8Array, bytes: string][] = [
  [
    "announcement",
    gratuitousArp(MAC, V4),
    `ffffffffffff020000000005${"0806"}0001080006040001${"020000000005"}0a010005${"000000000000"}0a010005`,
  ],
  [
    "probe",
    arpProbe(MAC, V4),
    `ffffffffffff020000000005${"0806"}0001080006040001${"020000000005"}00000000${"000000000000"}0a010005`,
  ],
  [
    "solicitation without a sender",
    duplicateProbe(MAC, V6),
    `3333ff020003020000000005${"86dd"}6000000000183aff${"0".repeat(32)}ff0200000000000000000001ff020003` +
      `8700${"7d9c"}00000000fd000000000000000000000100020003`,
  ],
];
test.each(frames)("%s", (_name, frame, bytes) => expect(hex(frame)).toBe(bytes));
test("the table has cases", () => expect(frames.length).toBe(3));

const claims: [name: string, frame: Uint8Array, claimed: Address | undefined][] = [
  ["an announcement", gratuitousArp(MAC, V4), V4],
  ["a probe: somebody is about to take it", arpProbe(MAC, V4), V4],
  ["an advertisement", unsolicitedNa(MAC, V6), V6],
  ["a solicitation without a sender", duplicateProbe(MAC, V6), V6],
  ["another EtherType", arpProbe(MAC, V4).with(12, 0x88), undefined],
  ["a frame that is cut short", unsolicitedNa(MAC, V6).subarray(0, 70), undefined],
];
test.each(claims)("what is claimed by %s", (_name, frame, claimed) =>
  expect(claimOf(frame)).toEqual(claimed && { address: claimed, mac: MAC }),
);
test("the table of claims has cases", () => expect(claims.length).toBeGreaterThan(5));

test("no bytes crash the reader", () =>
  fc.assert(fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => void claimOf(bytes))));
