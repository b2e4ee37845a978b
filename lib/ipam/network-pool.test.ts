import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { readNetworkIpam } from "./network-pool.ts";
import { poolText, readPoolText } from "./pool-text.ts";
import { readPools } from "./read-pool.ts";

const ipam = (block: unknown, ipRanges?: unknown) =>
  readNetworkIpam("web", root(block, "ipam"), ipRanges === undefined ? undefined : root(ipRanges, "ipRanges"));

test("no block, or one that says nothing of addresses, leaves the choice to the daemon", () => {
  expect(readNetworkIpam("web")).toEqual({ routes: [] });
  expect(ipam({ type: "selvedge", resolvConf: "/etc/resolv.conf", dataDir: "/tmp" })).toEqual({ routes: [] });
});

test("a pool of the daemon by name", () => expect(ipam({ pool: "std" })).toEqual({ pool: "std", routes: [] }));

test("ranges are a pool named for the network: the runtime's sets, the flat range, the list", () => {
  const block = { subnet: "10.2.0.0/30", ranges: [[{ subnet: "fd00::/126" }]], exclude: ["10.1.0.2"] };
  expect(ipam(block, [[{ subnet: "10.1.0.0/30" }]])).toEqual({
    pool: {
      name: "net:web",
      sets: [
        [{ subnet: "10.1.0.0/30", first: "10.1.0.1", last: "10.1.0.2", gateway: "10.1.0.1" }],
        [{ subnet: "10.2.0.0/30", first: "10.2.0.1", last: "10.2.0.2", gateway: "10.2.0.1" }],
        [{ subnet: "fd00::/126", first: "fd00::1", last: "fd00::3", gateway: "fd00::1" }],
      ],
      exclude: ["10.1.0.2/32"],
    },
    routes: [],
  });
});

test("routes with every field of CNI 1.1.0", () => {
  const routes = [
    { dst: "0.0.0.0/0", gw: "10.1.0.1", mtu: 1400, advmss: 1360, priority: 100, table: 50, scope: 0 },
    { dst: "FD00:0::5/64" },
    { dst: "10.0.0.0/8", mtu: 0, priority: 0 },
  ];
  expect(ipam({ routes }).routes).toEqual([
    { to: "0.0.0.0/0", via: "10.1.0.1", mtu: 1400, advmss: 1360, metric: 100, table: 50, scope: 0 },
    { to: "fd00::/64" },
    { to: "10.0.0.0/8", metric: 0 },
  ]);
});

const wrong: [what: string, block: unknown, message: string][] = [
  [
    "a name and ranges",
    { pool: "std", subnet: "10.1.0.0/24" },
    'ipam.pool: "std" is not possible together with ranges',
  ],
  ["exclusions without ranges", { exclude: ["10.1.0.1"] }, "ipam.exclude: "],
  [
    "an exclusion elsewhere",
    { subnet: "10.1.0.0/24", exclude: ["10.2.0.0/28"] },
    "ipam.exclude: 10.2.0.0/28 is in none of 10.1.0.0/24",
  ],
  ["a route without destination", { routes: [{ gw: "10.1.0.1" }] }, "ipam.routes[0].dst: is missing"],
  ["a gateway of the other family", { routes: [{ dst: "::/0", gw: "10.1.0.1" }] }, "ipam.routes[0].gw: "],
  ["a priority that is no number", { routes: [{ dst: "::/0", priority: "1" }] }, "ipam.routes[0].priority: "],
  ["a block that is a list", [], "ipam: [] is not an object"],
];
test.each(wrong)("%s is refused", (_what, block, message) => {
  expect(() => ipam(block)).toThrow(message);
});

test("pools of the daemon that meet are refused with both names, and so is a name twice", () => {
  const pool = (name: string, subnet: string) => ({ name, ranges: [[{ subnet }]] });
  const read = (...pools: unknown[]) => readPools(root(pools, "pools"));
  expect(read(pool("a", "10.1.0.0/24"), pool("b", "10.2.0.0/24"))).toHaveLength(2);
  expect(() => read(pool("a", "10.1.0.0/16"), pool("b", "10.1.5.0/24"))).toThrow(
    "pools: 10.1.5.1-10.1.5.254 of pool b overlaps 10.1.0.1-10.1.255.254 of pool a",
  );
  expect(() => read(pool("a", "10.1.0.0/24"), pool("a", "10.2.0.0/24"))).toThrow("pools: two pools are called a");
  expect(() => read(pool("net:a", "10.1.0.0/24"))).toThrow('pools[0].name: "net:a" is not a name');
  expect(() => read({ name: "a" })).toThrow("pools[0].ranges: is missing");
});

test("a pool reads back from its text", () => {
  const { pool } = ipam({
    ranges: [[{ subnet: "10.1.0.0/24", rangeStart: "10.1.0.9" }], [{ subnet: "fd00::7/128" }]],
    exclude: ["10.1.0.128/25"],
  });
  if (pool === undefined || typeof pool === "string") throw new Error("the ranges made no pool");
  expect(readPoolText({ name: pool.name, pool: poolText(pool) })).toEqual(pool);
  expect(() => readPoolText({ name: "net:x", pool: "{" })).toThrow("the stored pool net:x cannot be read");
});

test("the table has cases", () => expect(wrong.length).toBeGreaterThan(0));
