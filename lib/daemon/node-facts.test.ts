import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { type Address, fromNumber, hostPrefix, toNumber } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import { keyedLock } from "#lib/lock.ts";
import type { Op } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import type { Core } from "./core.ts";
import { type Host, NODE } from "./host.ts";
import { makeWhole, nodeFacts } from "./node-facts.ts";

const LINK = "svx4";
const addressOf = (n: number): Address => fromNumber(toNumber("10.64.0.0" as Address) + BigInt(n), 4);
/** What thousands of other nodes come to. */
const OTHERS: readonly Fact[] = [
  { type: "link", at: "host", name: LINK, kind: "vxlan", up: true },
  ...Array.from({ length: 3_000 }, (_, n): Fact[] => [
    { type: "route", at: "host", to: hostPrefix(addressOf(n)), link: LINK },
    { type: "route", at: "host", to: hostPrefix(addressOf(n)), link: LINK, table: 53_254 },
  ]).flat(),
];

/** A node on which nothing is. */
function bare() {
  const looked: (readonly Fact[])[] = [];
  const applied: Op[] = [];
  const kernel = {
    look: async (_: object, facts: readonly Fact[]) => {
      looked.push(facts);
      return [];
    },
    apply: async (_: object, ops: readonly Op[]) => void applied.push(...ops),
  };
  const host = { name: NODE, kernel, making: keyedLock() } as unknown as Host;
  const core = {
    config: parseConfig("{}"),
    hosts: new Map([[NODE, host]]),
    ipam: { subnets: () => [] },
    table: [],
    cluster: { facts: () => OTHERS },
  } as unknown as Core;
  return { core, host, looked, applied };
}

test("what thousands of nodes come to is compared part by part, and others have their turn in between", async () => {
  const { core, host, looked, applied } = bare();
  let turns = 0;
  let isOver = false;
  const others = (async () => {
    for (; !isOver; turns++) await turn();
  })();
  await makeWhole(core, host);
  isOver = true;
  await others;
  expect(Math.max(...looked.slice(0, -1).map((facts) => facts.length))).toBeLessThanOrEqual(512);
  expect(turns).toBeGreaterThan(10);
  const made = applied.map(({ fact }) => identity(fact));
  expect(made.toSorted()).toEqual(nodeFacts(core, host).map(identity).sort());
});

test("a link is there before what is on it, and what the kernel lists is asked for once", async () => {
  const { core, host, looked, applied } = bare();
  await makeWhole(core, host);
  const made = applied.map(({ fact }) => fact);
  const isOnIt = (fact: Fact) => fact.type === "route" && fact.link === LINK;
  expect(made.findIndex((fact) => fact.type === "link" && fact.name === LINK)).toBeLessThan(made.findIndex(isOnIt));
  const isOfTable = (fact: Fact) => fact.type === "route" && fact.table === 53_254;
  expect(looked.map((facts) => facts.filter(isOfTable).length).filter((count) => count > 0)).toEqual([3_000]);
});

test("a node has a default route by the addresses of a pair of routers on its network", () => {
  const { core, host } = bare();
  const pair =
    "{name: gate, routers: [e, f], networks: [{interface: eth1, vrid: 1, addresses: [192.0.2.254/24], METRIC}]}";
  const withPair = (metric: string) => {
    const routers = ["e", "f"].map((name) => `{name: ${name}, url: "https://${name}", key: {file: /k}}`).join(", ");
    const config = parseConfig(`edge: {routers: [${routers}], pairs: [${pair.replace("METRIC", metric)}]}`);
    const networks = [{ link: "eth0", address: "192.0.2.11/24" }];
    const facts = nodeFacts({ ...core, config, node: { networks } } as unknown as Core, host);
    return facts.filter((fact) => fact.type === "route" && fact.to === "0.0.0.0/0");
  };
  expect(withPair("defaultRouteMetric: 50")).toEqual([
    { type: "route", at: "host", to: "0.0.0.0/0", via: "192.0.2.254", link: "eth0", metric: 50 },
  ]);
  expect(withPair("")).toEqual([]);
});
