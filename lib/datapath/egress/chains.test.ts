import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { egressChains, egressFirst } from "./chains.ts";

const PORT = { name: "billing", addresses: [address("192.0.2.200")], vni: 9_816_044 };
const OPTIONS = {
  ports: [PORT],
  within: [prefix("10.66.0.0/16"), prefix("fd00:66::/48")],
  port: 4_789,
  encrypted: false,
  local: { senders: [prefix("169.254.16.0/20"), prefix("fd42::/112")], by: [address("10.66.0.1")] },
};
const LINKS = '{ "se45132346d076", "se65132346d076" }';

test("without such addresses there are no chains, and no rule in others", () => {
  expect(egressChains({ ...OPTIONS, ports: [] })).toEqual([]);
  expect(egressFirst([])).toEqual([]);
});

test("within WireGuard answers are marked as well, and their tunnel does not look its own route up by that", () => {
  const plain = new Map(egressChains(OPTIONS).map(({ name, rules }) => [name, new Set(rules)]));
  const more = egressChains({ ...OPTIONS, encrypted: true })
    .filter(({ name }) => name !== "egress_tunnels")
    .flatMap(({ name, rules }) => rules.filter((rule) => !plain.get(name)?.has(rule)));
  expect(more).toEqual([
    "ct direction reply ct reply ip daddr { 192.0.2.200 } meta mark set 0xff000000",
    'oifname { "svx4", "svx6" } meta mark & 0xff000000 0xff000000 meta mark set meta mark & 0x00ffffff',
  ]);
});

test("packets are marked, sent to the holder unchanged, and leave under the address or not at all", () => {
  const chains = new Map(egressChains(OPTIONS).map(({ name, rules }) => [name, rules]));
  expect([...chains.keys()]).toEqual([
    "egress_tunnels",
    "egress_mark",
    "egress_forward",
    "egress_input",
    "egress_left",
    "egress_leave",
  ]);
  expect(chains.get("egress_mark")).toEqual([
    'meta mark set iifname map { "se45132346d076" : 0x1000000, "se65132346d076" : 0x1000000 }',
    "ct direction original ip daddr != { 10.66.0.0/16, 169.254.0.0/16, 224.0.0.0/4 } ip daddr != @nodes4 fib daddr type != local meta mark set ip saddr map @egress4",
    "ct direction original ip6 daddr != { fd00:66::/48, fe80::/10, ff00::/8 } ip6 daddr != @nodes6 fib daddr type != local meta mark set ip6 saddr map @egress6",
  ]);
  expect(chains.get("egress_input")).toEqual(["ip daddr { 192.0.2.200 } meta l4proto != icmp counter drop"]);
  expect(chains.get("egress_left")).toEqual([
    `oifname ${LINKS} meta mark set meta mark & 0x00ffffff`,
    "meta mark & 0xff000000 { 0x1000000 } fib saddr type != local counter drop",
    `meta mark & 0xff000000 { 0x1000000 } oifname != ${LINKS} ip saddr != { 192.0.2.200 } counter drop`,
  ]);
  expect(chains.get("egress_leave")).toEqual([
    `oifname ${LINKS} ip saddr { 169.254.16.0/20 } snat ip to 10.66.0.1`,
    `oifname ${LINKS} ip6 saddr { fd42::/112 } counter drop`,
    `oifname ${LINKS} return`,
    "snat ip to meta mark & 0xff000000 map @egress_by4",
    "snat ip6 to meta mark & 0xff000000 map @egress_by6",
    "counter drop",
  ]);
  expect(egressFirst([PORT, { ...PORT, name: "mail" }])).toEqual([
    "meta mark & 0xff000000 { 0x1000000, 0x2000000 } goto egress_leave",
  ]);
});
