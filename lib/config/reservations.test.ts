import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";

const POOLS = `
pools:
  - name: std
    ranges: [[{ subnet: 10.1.0.0/24 }]]
    keepAddress: true
  - { name: media, ranges: [[{ subnet: 10.2.0.0/24 }]] }
defaultPool: std
networks:
  - { name: media, pool: media, keepAddress: false }
`;

test("reservations and rules are read, with the default pool where none is named", () => {
  const config = parseConfig(`${POOLS}
reservations:
  - { name: default/db-0, addresses: [10.1.0.5] }
  - { name: "vm:db", pool: media, addresses: [10.2.0.5], mac: 02-00-00-00-00-05 }
poolRules:
  - { namespace: "telco-*", labels: { app: gw }, network: media, pool: media }
`);
  expect(config.reservations).toEqual([
    { name: "default/db-0", pool: "std", addresses: ["10.1.0.5"] },
    { name: "vm:db", pool: "media", addresses: ["10.2.0.5"], mac: "02:00:00:00:00:05" },
  ]);
  expect(config.poolRules).toEqual([{ namespace: "telco-*", labels: { app: "gw" }, network: "media", pool: "media" }]);
  expect(config.pools.map(({ keepAddress }) => keepAddress)).toEqual([true, false]);
  expect(config.networks.get("media")?.keepAddress).toBe(false);
});

const REFUSED: [what: string, yaml: string, message: string][] = [
  [
    "no address",
    "reservations: [{name: a, addresses: []}]",
    "reservations[0].addresses: [] is not a list of at least one",
  ],
  [
    "a word",
    "reservations: [{name: a, addresses: [x]}]",
    'reservations[0].addresses[0]: "x" is not an address such as',
  ],
  [
    "a name with a space",
    "reservations: [{name: a b, addresses: [10.1.0.5]}]",
    'reservations[0].name: "a b" is not a name',
  ],
  [
    "another pool",
    "reservations: [{name: a, pool: medai, addresses: [10.1.0.5]}]",
    'reservations[0].pool: there is no pool "medai"; did you mean "media"?',
  ],
  [
    "a name twice in one pool",
    "reservations: [{name: a, addresses: [10.1.0.5]}, {name: a, pool: std, addresses: [10.1.0.6]}]",
    'reservations[1].name: "a" has one in pool std already',
  ],
  [
    "a multicast MAC",
    "reservations: [{name: a, addresses: [10.1.0.5], mac: 01:00:00:00:00:05}]",
    'reservations[0].mac: "01:00:00:00:00:05" is not a unicast MAC',
  ],
  ["a rule without a pool", "poolRules: [{namespace: a}]", "poolRules[0].pool: is missing"],
  ["a rule for no network", "poolRules: [{network: x, pool: std}]", 'poolRules[0].network: there is no network "x"'],
];
test.each(REFUSED)("%s is refused", (_what, yaml, message) => {
  expect(() => parseConfig(`${POOLS}${yaml}`)).toThrow(message);
});
