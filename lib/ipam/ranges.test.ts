import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { disjoint, readFlat, readSets } from "./ranges.ts";

const read = (value: unknown) => disjoint(readSets(root(value, "ranges")));

const subnets: [subnet: string, first: string, last: string, gateway: string | undefined][] = [
  ["10.1.0.0/24", "10.1.0.1", "10.1.0.254", "10.1.0.1"],
  ["10.1.0.0/16", "10.1.0.1", "10.1.255.254", "10.1.0.1"],
  ["10.1.0.4/30", "10.1.0.5", "10.1.0.6", "10.1.0.5"],
  ["10.1.0.4/31", "10.1.0.4", "10.1.0.5", "10.1.0.4"],
  ["10.1.0.4/32", "10.1.0.4", "10.1.0.4", undefined],
  ["fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff", "fd00::1"],
  ["FD00:0::/126", "fd00::1", "fd00::3", "fd00::1"],
  ["fd00::/127", "fd00::", "fd00::1", "fd00::"],
  ["fd00::7/128", "fd00::7", "fd00::7", undefined],
];

test.each(subnets)("%s hands out %s to %s behind %s", (subnet, first, last, gateway) => {
  const [[range] = []] = read([[{ subnet }]]);
  expect(range).toEqual({
    subnet: subnet.replace("FD00:0", "fd00:").replace(":::", "::"),
    first,
    last,
    ...(gateway === undefined ? {} : { gateway }),
  });
});

test("start, end and gateway as given; network and broadcast addresses are left out even then", () => {
  expect(
    read([[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.0", rangeEnd: "10.1.0.255", gateway: "10.1.0.254" }]]),
  ).toEqual([[{ subnet: "10.1.0.0/24", first: "10.1.0.1", last: "10.1.0.254", gateway: "10.1.0.254" }]]);
  expect(
    read([[{ SUBNET: "10.1.0.0/24", rangestart: "10.1.0.10", RangeEnd: "10.1.0.20", gateway: "192.0.2.1" }]]),
  ).toEqual([[{ subnet: "10.1.0.0/24", first: "10.1.0.10", last: "10.1.0.20", gateway: "192.0.2.1" }]]);
});

test("the flat form is one set of one range", () => {
  expect(disjoint(readFlat(root({ subnet: "10.1.0.0/24", rangeEnd: "10.1.0.9" }, "ipam")))).toEqual([
    [{ subnet: "10.1.0.0/24", first: "10.1.0.1", last: "10.1.0.9", gateway: "10.1.0.1" }],
  ]);
  expect(readFlat(root({ type: "selvedge" }, "ipam"))).toEqual([]);
});

const wrong: [what: string, value: unknown, message: string][] = [
  [
    "host bits",
    [[{ subnet: "10.1.0.5/24" }]],
    'ranges[0][0].subnet: "10.1.0.5/24" is not a network: its host bits must be zero, as in "10.1.0.0/24"',
  ],
  ["no subnet", [[{}]], 'ranges[0][0].subnet: is missing; it must be a network such as "10.1.0.0/16"'],
  ["an empty set", [[]], "ranges[0]: [] is not a list of at least one range"],
  ["no set", { subnet: "10.1.0.0/24" }, 'ranges: {"subnet":"10.1.0.0/24"} is not a list'],
  [
    "a start outside",
    [[{ subnet: "10.1.0.0/24", rangeStart: "10.2.0.1" }]],
    'ranges[0][0].rangeStart: "10.2.0.1" is not an address of 10.1.0.0/24',
  ],
  [
    "an end of the other family",
    [[{ subnet: "10.1.0.0/24", rangeEnd: "fd00::1" }]],
    'ranges[0][0].rangeEnd: "fd00::1" is not an address of 10.1.0.0/24',
  ],
  [
    "an end before the start",
    [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.9", rangeEnd: "10.1.0.8" }]],
    'ranges[0][0].rangeEnd: "10.1.0.8" is not at or after rangeStart 10.1.0.9',
  ],
  [
    "a gateway of the other family",
    [[{ subnet: "10.1.0.0/24", gateway: "fd00::1" }]],
    'ranges[0][0].gateway: "fd00::1" is not an address of the family of 10.1.0.0/24',
  ],
  [
    "both families in one set",
    [[{ subnet: "10.1.0.0/24" }, { subnet: "fd00::/64" }]],
    'ranges[0][1]: {"subnet":"fd00::/64"} is not of the family of 10.1.0.0/24: IPv4 and IPv6 are separate sets, [[{IPv4}], [{IPv6}]]',
  ],
  [
    "overlap in a set",
    [[{ subnet: "10.1.0.0/24" }, { subnet: "10.1.0.0/25" }]],
    'ranges[0][1]: {"subnet":"10.1.0.0/25"} is not free of overlap with 10.1.0.1-10.1.0.254 of the same set',
  ],
  [
    "overlap of sets",
    [[{ subnet: "10.1.0.0/24" }], [{ subnet: "10.1.0.0/25" }]],
    'ranges[1]: [{"subnet":"10.1.0.0/25"}] is not free of overlap: 10.1.0.1-10.1.0.126 meets 10.1.0.1-10.1.0.254 of ranges[0]',
  ],
  [
    "nothing but the gateway",
    [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.1", rangeEnd: "10.1.0.1" }]],
    'ranges[0][0]: {"subnet":"10.1.0.0/24","rangeStart":"10.1.0.1","rangeEnd":"10.1.0.1"} is not a range with an address for a pod in it: 10.1.0.1 to 10.1.0.254 but the gateway',
  ],
];

test.each(wrong)("%s is refused", (_what, value, message) => {
  expect(() => read(value)).toThrow(message);
});

test("the tables have cases", () => {
  expect(subnets.length).toBeGreaterThan(0);
  expect(wrong.length).toBeGreaterThan(0);
});
