import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import type { Decided } from "./decide.ts";
import { together } from "./together.ts";

const bridge: Fact = { type: "link", at: "host", name: "br0", kind: "bridge", up: true };
const route = (to: string, link: string, table?: number): Fact => ({
  type: "route",
  at: "pod",
  to: prefix(to),
  link,
  ...(table === undefined ? {} : { table }),
});

const plane = (link: string, ip: string, facts: readonly Fact[], dns: Decided["result"]["dns"] = {}): Decided => ({
  facts: [bridge, ...facts],
  result: {
    interfaces: [{ name: "br0" }, { name: `host-${link}` }, { name: link, sandbox: "/run/netns/c1" }],
    ips: [{ address: prefix(ip), interface: 2 }],
    routes: [{ dst: prefix("10.9.0.0/16"), gw: address("10.1.0.1") }, { dst: prefix(ip) }],
    dns,
  },
});

const first = plane("eth0", "10.1.0.5/24", [route("10.9.0.0/16", "eth0")], {
  nameservers: ["10.0.0.2"],
  domain: "one",
  search: ["a"],
});
const second = plane("m0", "10.2.0.5/24", [route("10.9.0.0/16", "m0"), route("10.9.0.0/16", "m0", 101)], {
  nameservers: ["10.0.0.3", "10.0.0.2"],
  domain: "two",
});

test("on one host: what both want is wanted once, and the main table knows one way to a destination", () => {
  const { facts, tenantFacts } = together([
    { host: "", decided: first },
    { host: "", decided: second },
  ]);
  expect(facts.map((fact) => line({ do: "add", fact }))).toEqual([
    "+ link br0 bridge up",
    "+ route 10.9.0.0/16 dev eth0 [pod]",
    "+ route 10.9.0.0/16 dev m0 [pod] table 101",
  ]);
  expect(tenantFacts).toBeUndefined();
});

test("the result names every interface once, and each address by its own", () => {
  const { result } = together([
    { host: "", decided: first },
    { host: "", decided: second },
  ]);
  expect(result.interfaces.map(({ name }) => name)).toEqual(["br0", "host-eth0", "eth0", "host-m0", "m0"]);
  expect(result.ips.map(({ address, interface: of }) => [address, of])).toEqual([
    ["10.1.0.5/24", 2],
    ["10.2.0.5/24", 4],
  ]);
  expect(result.routes.map(({ dst }) => dst)).toEqual(["10.9.0.0/16", "10.1.0.5/24", "10.2.0.5/24"]);
  expect(result.dns).toEqual({ nameservers: ["10.0.0.2", "10.0.0.3"], search: ["a"], domain: "one" });
});

test("of two hosts each has its own bridge of the same name", () => {
  const { facts, tenantFacts } = together([
    { host: "", decided: first },
    { host: "red", decided: second },
  ]);
  expect(facts.map(({ type }) => type)).toEqual(["link", "route"]);
  expect(tenantFacts?.red?.map(({ type }) => type)).toEqual(["link", "route"]);
});

test("a total that none of the pod's interfaces could be held to is refused", () => {
  const total = {
    podQos: { egressRate: 1_000_000 },
    devices: { into: "in0", outOf: "out0", alias: "selvedge c1 eth0" },
  };
  expect(() => together([{ host: "", decided: first }], total)).toThrow(
    'podQos: {"egressRate":1000000} is not supported: packets of none of the pod\'s interfaces pass the node',
  );
});
