import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { table } from "../table.ts";
import { type End, endsMeant, familyOf } from "./ends.ts";

const onPod = (text: string): Fact => ({ type: "address", at: "pod", link: "eth0", address: prefix(text) });
const known = table(() => false);
const RECORDS: readonly AttachmentRecord[] = [
  sampleRecord({
    containerId: "c1",
    pod: "default/web-0",
    facts: [onPod("10.66.0.5/24"), onPod("10.66.0.6/24"), onPod("fd00::5/64")],
  }),
  sampleRecord({ containerId: "c2", pod: "default/web-1", facts: [onPod("10.66.0.7/24"), onPod("fd00::7/64")] }),
];
const onPlane = (link: string, text: string): Fact => ({ type: "address", at: "pod", link, address: prefix(text) });
const PLANES = sampleRecord({
  containerId: "p1",
  facts: [onPlane("eth0", "10.67.0.5/24"), onPlane("m0", "10.68.0.5/24")],
  planes: [
    { name: "std", ifname: "eth0", type: "ptp" },
    { name: "media", ifname: "m0", type: "bridge" },
  ],
});
for (const record of [...RECORDS, PLANES]) known.put(record);
const meant = (wanted: string): string[] =>
  endsMeant({ table: known }, wanted, "alpha").map(({ containerId, ifname, addresses }) =>
    [ifname === "eth0" ? containerId : `${containerId}/${ifname}`, ...addresses].join(" "),
  );

test.each([
  ["c1", ["c1 10.66.0.5 10.66.0.6 fd00::5"]],
  ["c", ["c1 10.66.0.5 10.66.0.6 fd00::5", "c2 10.66.0.7 fd00::7"]],
  ["c2/eth0", ["c2 10.66.0.7 fd00::7"]],
  ["default/web-1", ["c2 10.66.0.7 fd00::7"]],
  ["10.66.0.6", ["c1 10.66.0.6"]],
  ["fd00::5", ["c1 fd00::5"]],
  ["FD00:0::5", ["c1 fd00::5"]],
  ["10.66.0.8", []],
  ["p1", ["p1 10.67.0.5"]],
  ["p1/m0", ["p1/m0 10.68.0.5"]],
  ["p1/m1", []],
  ["10.68.0.5", ["p1/m0 10.68.0.5"]],
])("%s means %j: who is named by an address is meant by that one", (wanted, expected) =>
  expect(meant(wanted)).toEqual(expected),
);

const end = (...addresses: readonly string[]): End => ({
  node: "",
  containerId: "c",
  ifname: "eth0",
  pod: "",
  addresses: addresses.map((text) => address(text)),
});

test("the family is the one that both ends have, IPv4 before IPv6 unless it is said", () => {
  const both = end("fd00::5", "10.66.0.5");
  expect(familyOf(both, both, 0)).toBe(4);
  expect(familyOf(both, both, 6)).toBe(6);
  expect(familyOf(both, end("fd00::7"), 0)).toBe(6);
  expect(() => familyOf(end("10.66.0.5"), end("fd00::7"), 0)).toThrow("the two ends have no addresses of one family");
  expect(() => familyOf(both, end("fd00::7"), 4)).toThrow(
    "family: not both ends have an IPv4 address; an end named by its address has that one alone",
  );
});
