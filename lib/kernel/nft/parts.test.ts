import { expect, test } from "@jest/globals";
import { fromBytes } from "#lib/address.ts";
import { type PartType, SETS } from "#lib/state/sets.ts";
import { fc } from "../../../test/support/property.ts";
import { decodeParts, encodeParts, lengthOfParts } from "./parts.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const cases: [types: PartType[], texts: string[], bytes: string][] = [
  [["ifname"], ["sv0"], "73763000000000000000000000000000"],
  [["ipv4_addr"], ["10.1.0.5"], "0a010005"],
  [["inet_proto"], ["tcp"], "06"],
  [["mark"], ["0x1000000"], "00000001"],
  [["inet_service"], ["8080"], "1f90"],
  [["ether_addr"], ["02:00:00:00:00:05"], "020000000005"],
  [["inet_proto", "inet_service"], ["udp", "53"], "1100000000350000"],
  [["ifname", "vlan_id"], ["sv1", "100"], "7376310000000000000000000000000000640000"],
  [["ipv4_addr", "inet_service"], ["10.1.0.5", "80"], "0a01000500500000"],
  [["ether_addr", "ipv6_addr"], ["02:00:00:00:00:05", "fd00::5"], `0200000000050000fd${"00".repeat(14)}05`],
];

test.each(cases)("%j %j", (types, texts, bytes) => {
  expect(hex(encodeParts(types, texts))).toBe(bytes);
  expect(decodeParts(types, Buffer.from(bytes, "hex"))).toEqual(texts);
});

const refused: [types: PartType[], texts: string[]][] = [
  [["ifname"], ["sixteen-bytes-xx"]],
  [["ifname"], [""]],
  [["ipv4_addr"], ["fd00::5"]],
  [["ipv6_addr"], ["10.1.0.5"]],
  [["ether_addr"], ["02:00"]],
  [["inet_proto"], ["256"]],
  [["mark"], ["0x100000000"]],
  [["inet_service"], ["65536"]],
  [["inet_service"], ["080"]],
  [["inet_proto", "inet_service"], ["tcp"]],
];

test.each(refused)("no such key: %j %j", (types, texts) => {
  expect(() => encodeParts(types, texts)).toThrow(TypeError);
});

test("the tables have cases", () => {
  expect(cases.length).toBe(10);
  expect(refused.length).toBe(10);
});

const address = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => fromBytes(bytes) as string);

const textOf: Record<PartType, fc.Arbitrary<string>> = {
  ifname: fc.stringMatching(/^[a-z0-9]{1,15}$/),
  ether_addr: fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":")),
  ipv4_addr: address(4),
  ipv6_addr: address(16),
  inet_proto: fc.constantFrom("tcp", "udp", "sctp", "200"),
  inet_service: fc.nat(65_535).map(String),
  vlan_id: fc.nat(4_094).map(String),
  mark: fc.nat(0xffff_ffff).map((n) => `0x${n.toString(16)}`),
  classid: fc
    .tuple(fc.nat(0xffff), fc.nat(0xffff))
    .map(([major, minor]) => `${major.toString(16)}:${minor.toString(16)}`),
};

test.each(SETS)("what is written is what is read: $family $name", ({ key }) => {
  const types: readonly PartType[] = key;
  fc.assert(
    fc.property(fc.tuple(...types.map((type) => textOf[type])), (texts) => {
      const bytes = encodeParts(types, texts);
      expect(bytes.length).toBe(lengthOfParts(types));
      expect(decodeParts(types, bytes)).toEqual(texts);
    }),
  );
});

test("no bytes crash the reader", () => {
  const types = fc.array(fc.constantFrom(...(Object.keys(textOf) as PartType[])), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(types, fc.uint8Array({ maxLength: 80 }), (of, bytes) => {
      if (bytes.length < lengthOfParts(of)) expect(() => decodeParts(of, bytes)).toThrow(RangeError);
      else expect(decodeParts(of, bytes).length).toBe(of.length);
    }),
  );
});
