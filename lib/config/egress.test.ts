import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";
import { unplaced } from "./refusal.ts";

const HEAD = "cluster: {store: {etcd: {endpoints: [http://a]}}, egress: ";
const BILLING = "name: billing, addresses: [192.0.2.200, 2001:DB8::200], pods: [{namespace: billing}]";

test("what is left out has its default", () => {
  expect(parseConfig(`${HEAD}[{${BILLING}}]}`).cluster?.egress).toEqual([
    {
      name: "billing",
      addresses: ["192.0.2.200", "2001:db8::200"],
      pods: [{ namespace: "billing" }],
      nodes: ["*"],
      holdSeconds: 10,
      vni: 9_816_044,
    },
  ]);
});

const complaints = (text: string) => unplaced(text).map((line) => line.replace(/^cluster\.egress/, ""));

const REFUSED: readonly [egress: string, complaints: readonly string[]][] = [
  ["[{name: a, pods: [{}]}]", ["[0].addresses: is missing; it must be a list of addresses"]],
  ["[{name: a, addresses: [192.0.2.1], pods: []}]", ["[0].pods: [] is not a list of at least one rule"]],
  [
    "[{name: a, addresses: [192.0.2.1, 192.0.2.2], pods: [{}]}]",
    ["[0].addresses[1]: 192.0.2.2 is the second of IPv4; there may be one of each family"],
  ],
  [
    `[{${BILLING}}, {name: b, addresses: [192.0.2.200], pods: [{}]}]`,
    ['[1].addresses[0]: 192.0.2.200 is an address of "billing" already'],
  ],
  [
    `[{${BILLING}}, {name: billing, addresses: [192.0.2.201], pods: [{}], vni: 7}]`,
    ['[1].name: "billing" is the name of another one, too'],
  ],
  ["[{name: a, addresses: [192.0.2.1], pods: [{}], vni: 4096}]", ["[0].vni: 4096 is used already; give it another"]],
  [
    "[{name: a, addresses: [192.0.2.1], pods: [{network: media}]}]",
    ['[0].pods[0].network: there is no network "media"; known: none'],
  ],
  [
    "[{name: a, addresses: [192.0.2.1], pods: [{}], holdSeconds: 1}]",
    ["[0].holdSeconds: 1 is not a whole number from 5 to 3600"],
  ],
];
test.each(REFUSED)("%s", (egress, expected) => expect(complaints(`${HEAD}${egress}}`)).toEqual(expected));

test("one value of the marks is left for answers", () => {
  const many = (count: number) =>
    Array.from(
      { length: count },
      (_, i) => `{name: e${i}, addresses: [192.0.2.${i + 1}], pods: [{}], vni: ${9_000 + i}}`,
    );
  expect(complaints(`${HEAD}[${many(254).join(", ")}]}`)).toEqual([]);
  expect(complaints(`${HEAD}[${many(255).join(", ")}]}`)).toEqual([": 255 are too many; there may be 254"]);
});

test("a tenant is known, alone in its rule, and has egress", () => {
  const of = (tenants: string, rule: string) =>
    complaints(`tenants: ${tenants}\n${HEAD}[{name: a, addresses: [192.0.2.1], pods: [${rule}]}]}`);
  expect(of("[{name: blue}]", "{tenant: blue}")).toEqual([]);
  expect(of("[{name: blue}]", "{tenant: blau}")).toEqual([
    '[0].pods[0].tenant: there is no tenant "blau"; known: blue',
  ]);
  expect(of("[{name: blue, egress: false}]", "{tenant: blue, pod: x}")).toEqual([
    "[0].pods[0].tenant: means all pods of the tenant; leave out pod",
    '[0].pods[0].tenant: "blue" has no egress',
  ]);
});

test("an address of a pool is a pod's", () => {
  const pools = "pools: [{name: default, ranges: [[{subnet: 192.0.2.0/24}]]}]\n";
  expect(complaints(`${pools}${HEAD}[{${BILLING}}]}`)).toEqual([
    '[0].addresses[0]: 192.0.2.200 is in pool "default", whose addresses are pods\'',
  ]);
});

test("a tenant's pods leave by its router", () => {
  const networks = "networks: [{name: blue, tenant: blue}]\ntenants: [{name: blue}]\n";
  expect(complaints(`${networks}${HEAD}[{name: a, addresses: [192.0.2.1], pods: [{network: blue}]}]}`)).toEqual([
    '[0].pods[0].network: "blue" is a network of tenant "blue", whose pods leave by its router; name the tenant',
  ]);
});
