import { expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import { lines } from "../../test/attach/sample.ts";
import { effectiveBandwidth, type ShapedPlane, totals } from "./totals.ts";

const plane = (n: number, more: Partial<ShapedPlane> = {}): ShapedPlane => ({
  bandwidth: {},
  link: `sv${n}`,
  mac: mac(`02:00:00:00:00:0${n}`),
  ifb: `sb${n}`,
  alias: `selvedge c1 eth${n}`,
  mtu: 1450,
  ...more,
});
const devices = { into: "si1", outOf: "se1", alias: "selvedge c1 eth0" };
const held = (planes: readonly ShapedPlane[], total: Parameters<typeof totals>[1]) =>
  lines(totals(planes, total, devices));

test("one interface has one bucket, of the smaller rate", () => {
  const bandwidth = { egressRate: 8_000_000, ingressRate: 2_000_000 };
  expect(held([plane(1, { bandwidth })], { egressRate: 4_000_000, ingressRate: 4_000_000 })).toEqual([
    "+ qdisc tbf dev sv1 rate 2000000bit burst 32768b latency 25000us",
    "+ link sb1 ifb up mtu 1450 no-ipv6-link-local",
    "+ qdisc tbf dev sb1 rate 4000000bit burst 32768b latency 25000us",
    "+ filter ingress dev sv1 redirect sb1",
  ]);
});

test("several meet on one device: half of the total in equal parts, the rest by priority, no more than their own", () => {
  const planes = [plane(1, { priority: 6 }), plane(2, { bandwidth: { egressRate: 1_000_000 } })];
  expect(held(planes, { egressRate: 8_000_000 })).toEqual([
    "+ link se1 ifb up mtu 1450 no-ipv6-link-local",
    "+ qdisc htb dev se1 rate 8000000bit burst 32768b latency 25000us" +
      " class 16 source 02:00:00:00:00:01 rate 2000000bit ceil 8000000bit prio 1" +
      " class 17 source 02:00:00:00:00:02 rate 1000000bit ceil 1000000bit prio 7",
    "+ filter ingress dev sv1 redirect se1",
    "+ filter ingress dev sv2 redirect se1",
  ]);
});

test("a direction without a total is shaped interface by interface", () => {
  const planes = [plane(1, { bandwidth: { egressRate: 1_000_000, ingressRate: 1_000_000 } }), plane(2)];
  expect(held(planes, { ingressRate: 8_000_000 })).toEqual([
    "+ link sb1 ifb up mtu 1450 no-ipv6-link-local",
    "+ qdisc tbf dev sb1 rate 1000000bit burst 32768b latency 25000us",
    "+ filter ingress dev sv1 redirect sb1",
    "+ link si1 ifb up mtu 1450 no-ipv6-link-local",
    "+ qdisc htb dev si1 rate 8000000bit burst 32768b latency 25000us" +
      " class 16 destination 02:00:00:00:00:01 rate 1000000bit ceil 1000000bit prio 7" +
      " class 17 destination 02:00:00:00:00:02 rate 2000000bit ceil 8000000bit prio 7",
    "+ filter egress dev sv1 redirect si1",
    "+ filter egress dev sv2 redirect si1",
  ]);
});

test("no interface that passes the node, nothing to hold", () =>
  expect(held([], { egressRate: 8_000_000 })).toEqual([]));

test("more interfaces than classes are refused", () => {
  const planes = Array.from({ length: 17 }, (_, i) => plane(i % 9));
  expect(() => held(planes, { egressRate: 8_000_000 })).toThrow("podQos: 17 interfaces cannot be held to one total");
});

test.each([
  [
    "the runtime's rate wins, also where it is no limit",
    { ingressRate: 0 },
    { ingressRate: 5_000 },
    { ingressRate: 0 },
  ],
  [
    "a rate that the runtime leaves out is the network's",
    { ingressRate: 1 },
    { egressRate: 5_000 },
    { ingressRate: 1, egressRate: 5_000 },
  ],
  ["no rates at all", undefined, { dscp: 46 }, undefined],
])("%s", (_name, asked, network, expected) => expect(effectiveBandwidth(asked, network)).toEqual(expected));
