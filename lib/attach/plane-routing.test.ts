import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { root } from "#lib/parse.ts";
import type { Fact } from "#lib/state/fact.ts";
import { dualStack, ipv4Only, lines } from "../../test/attach/sample.ts";
import { bridge } from "./bridge/bridge.ts";
import type { Attached, Built } from "./kind.ts";
import { routedApart } from "./plane-routing.ts";
import { ptp } from "./ptp/ptp.ts";

const routing = (facts: readonly Fact[]): string[] =>
  lines(facts.filter((fact) => fact.at === "pod" && ["route", "rule", "sysctl"].includes(fact.type))).toSorted();

const onPtp = (attached: Attached): Built => ptp.desired(ptp.parse(root({})), attached);
const onBridge = (attached: Attached): Built => bridge.desired(bridge.parse(root({})), attached);

test("a routed pair that is not the default: its subnet in main, everything in its own table", () => {
  const built = routedApart(onPtp(dualStack), {
    ifname: "eth0",
    addresses: dualStack.addresses,
    slot: 2,
    defaultRoute: false,
  });
  expect(routing(built.facts)).toEqual([
    "+ route 0.0.0.0/0 via 169.254.1.1 dev eth0 [pod] onlink table 102",
    "+ route 10.1.0.0/16 via 169.254.1.1 dev eth0 [pod] onlink",
    "+ route 10.1.0.0/16 via 169.254.1.1 dev eth0 [pod] onlink table 102",
    "+ route ::/0 via fe80::1 dev eth0 [pod] table 102",
    "+ route fd00::/64 via fe80::1 dev eth0 [pod]",
    "+ route fd00::/64 via fe80::1 dev eth0 [pod] table 102",
    "+ rule -6 [pod] priority 5302 from fd00::5/128 table 102",
    "+ rule [pod] priority 5302 from 10.1.0.5/32 table 102",
  ]);
  expect(built.routes).toEqual([
    { to: "10.1.0.0/16", via: "169.254.1.1" },
    { to: "fd00::/64", via: "fe80::1" },
  ]);
});

test("the first plane keeps its default route", () => {
  const built = routedApart(onPtp(ipv4Only), {
    ifname: "eth0",
    addresses: ipv4Only.addresses,
    slot: 0,
    defaultRoute: true,
  });
  expect(routing(built.facts)).toEqual([
    "+ route 0.0.0.0/0 via 169.254.1.1 dev eth0 [pod] onlink",
    "+ route 0.0.0.0/0 via 169.254.1.1 dev eth0 [pod] onlink table 100",
    "+ route 10.1.0.0/16 via 169.254.1.1 dev eth0 [pod] onlink",
    "+ route 10.1.0.0/16 via 169.254.1.1 dev eth0 [pod] onlink table 100",
    "+ rule [pod] priority 5300 from 10.1.0.5/32 table 100",
  ]);
});

test("on a segment: a default by the pool's gateway in its own table only, and ARP for its own address only", () => {
  const attached = { ...ipv4Only, routes: [{ to: prefix("10.9.0.0/16") }, { to: prefix("10.8.0.0/16"), table: 7 }] };
  const built = routedApart(onBridge(attached), {
    ifname: "eth0",
    addresses: attached.addresses,
    slot: 1,
    defaultRoute: false,
  });
  expect(routing(built.facts)).toEqual([
    "+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod] table 101",
    "+ route 10.1.0.0/16 dev eth0 [pod]",
    "+ route 10.1.0.0/16 dev eth0 [pod] table 101",
    "+ route 10.8.0.0/16 via 10.1.0.1 dev eth0 [pod] table 7",
    "+ route 10.9.0.0/16 via 10.1.0.1 dev eth0 [pod]",
    "+ route 10.9.0.0/16 via 10.1.0.1 dev eth0 [pod] table 101",
    "+ rule [pod] priority 5301 from 10.1.0.5/32 table 101",
    "+ sysctl net/ipv4/conf/eth0/arp_announce=2 [pod]",
    "+ sysctl net/ipv4/conf/eth0/arp_ignore=1 [pod]",
  ]);
  expect(built.routes.map(({ to }) => to)).toEqual(["10.9.0.0/16", "10.8.0.0/16"]);
});

test("a plane that is told to be the default becomes it, though its network gives no default route", () => {
  const attached = { ...ipv4Only, routes: [{ to: prefix("10.9.0.0/16") }] };
  const apart = { ifname: "eth0", addresses: attached.addresses, slot: 1 };
  const defaults = (defaultRoute?: boolean) =>
    routing(
      routedApart(onBridge(attached), { ...apart, ...(defaultRoute === undefined ? {} : { defaultRoute }) }).facts,
    ).filter((line) => line.includes("0.0.0.0/0"));
  const own = "+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod] table 101";
  expect(defaults(true)).toEqual(["+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod]", own]);
  expect(defaults()).toEqual([own]);
});

const asked = (attached: Attached, gateways: readonly string[], on = onBridge) =>
  routedApart(on(attached), {
    ifname: "eth0",
    addresses: attached.addresses,
    slot: 1,
    defaultRoute: true,
    gateways: gateways.map((each) => address(each)),
  });

test("gateways that were asked for take the place of the network's, of each family by itself, the first before the others", () => {
  const built = asked(dualStack, ["10.1.0.9", "10.1.0.8"]);
  expect(routing(built.facts).filter((line) => line.includes("/0 "))).toEqual([
    "+ route 0.0.0.0/0 via 10.1.0.8 dev eth0 [pod] metric 1026",
    "+ route 0.0.0.0/0 via 10.1.0.8 dev eth0 [pod] metric 1026 table 101",
    "+ route 0.0.0.0/0 via 10.1.0.9 dev eth0 [pod]",
    "+ route 0.0.0.0/0 via 10.1.0.9 dev eth0 [pod] table 101",
  ]);
  expect(built.routes).toEqual([
    { to: "0.0.0.0/0", via: "10.1.0.9" },
    { to: "0.0.0.0/0", via: "10.1.0.8", metric: 1026 },
  ]);
  expect(asked(dualStack, ["fd00::9"]).routes).toEqual([
    { to: "::/0", via: "fd00::9" },
    { to: "0.0.0.0/0", via: "10.1.0.1" },
  ]);
});

test("a gateway of a family without an address, and one in place of the node, are refused", () => {
  expect(() => asked(ipv4Only, ["fd00::9"])).toThrow(
    "default-route: fd00::9 is no gateway for eth0, which has no address of that family",
  );
  expect(() => asked(ipv4Only, ["10.1.0.9"], onPtp)).toThrow(
    "default-route: 10.1.0.9 is not supported for eth0, whose gateway is always the node",
  );
});
