import { expect, test } from "@jest/globals";
import { type Address, address, type Family, family, mac, prefix } from "#lib/address.ts";
import type { Egress } from "#lib/state/egress.ts";
import type { NodeRecord } from "./records.ts";
import { type ChosenWay, isChosen, overheadOf, type WayOptions, wayTo } from "./ways.ts";

const node = (name: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  name,
  uid: name,
  addresses: [address("192.0.2.1"), address("2001:db8::1")],
  segments: [prefix("192.0.2.0/24"), prefix("2001:db8::/64")],
  ways: ["direct", "vxlan", "gre", "wireguard"],
  tunnelAddresses: [],
  tunnelMac: mac("02:00:00:00:00:01"),
  echoPort: 4_796,
  version: "1",
  ...more,
});
const ALPHA = node("alpha");
const NEAR = node("near", { addresses: [address("192.0.2.2"), address("2001:db8::2")] });
const FAR = node("far", { addresses: [address("198.51.100.2"), address("2001:db8:9::2")] });
const KEY = { publicKeys: ["k"], port: 51_830 };

/** Everything on the segments is on the link, everything else behind a router. */
const egressTo = (to: Address): Egress => {
  const near = to.startsWith("192.0.2.") || to.startsWith("2001:db8::");
  const [source, router] = family(to) === 4 ? ["192.0.2.1", "192.0.2.254"] : ["2001:db8::1", "2001:db8::fe"];
  return { to, link: "eth0", mtuBytes: 1500, source: address(source), ...(near ? {} : { via: address(router) }) };
};

interface Case {
  readonly name: string;
  readonly own?: NodeRecord;
  readonly peer: NodeRecord;
  readonly pods?: Family;
  readonly options: Partial<WayOptions>;
  /** `way to mtu: reason`, or the reason why there is none. */
  readonly expected: string;
}

const withKey = (of: NodeRecord, tunnel: readonly string[] = []): NodeRecord => ({
  ...of,
  wireguard: KEY,
  tunnelAddresses: tunnel.map((each) => address(each)),
});

const CASES: readonly Case[] = [
  { name: "one segment", peer: NEAR, options: {}, expected: "direct 192.0.2.2 1500: on one segment" },
  { name: "one segment, IPv6", peer: NEAR, pods: 6, options: {}, expected: "direct 2001:db8::2 1500: on one segment" },
  {
    name: "one segment, and the other node takes less",
    peer: { ...NEAR, mtuBytes: 1_400 },
    options: {},
    expected: "direct 192.0.2.2 1400: on one segment; near takes 1400 bytes",
  },
  {
    name: "a node that takes more is sent no more",
    peer: { ...FAR, mtuBytes: 9_000 },
    options: {},
    expected: "vxlan 198.51.100.2 1450: not on one segment",
  },
  {
    name: "beyond it, and the other node takes less",
    peer: { ...FAR, mtuBytes: 1_400 },
    options: {},
    expected: "vxlan 198.51.100.2 1350: not on one segment; far takes 1400 bytes",
  },
  { name: "beyond it", peer: FAR, options: {}, expected: "vxlan 198.51.100.2 1450: not on one segment" },
  {
    name: "beyond it, without VXLAN",
    peer: { ...FAR, ways: ["gre"] },
    options: {},
    expected: "gre 198.51.100.2 1472: not on one segment",
  },
  {
    name: "cross-subnet knows VXLAN alone",
    peer: { ...FAR, ways: ["gre"] },
    options: { way: "cross-subnet" },
    expected: "far has no vxlan",
  },
  {
    name: "the network between routes pods",
    peer: FAR,
    options: { way: "direct" },
    expected: "direct 192.0.2.254 1500: configured",
  },
  {
    name: "IPv4 pods by an IPv6 gateway",
    peer: { ...NEAR, addresses: [address("2001:db8::2")] },
    options: {},
    expected: "direct 2001:db8::2 1500: on one segment",
  },
  {
    name: "IPv6 pods between nodes without IPv6 take a tunnel",
    peer: { ...NEAR, addresses: [address("192.0.2.2")] },
    pods: 6,
    options: {},
    expected: "vxlan 192.0.2.2 1450: not on one segment",
  },
  {
    name: "or cannot do",
    peer: { ...NEAR, addresses: [address("192.0.2.2")] },
    pods: 6,
    options: { way: "direct" },
    expected: "near has no IPv6 address, which a direct way for IPv6 needs",
  },
  { name: "always VXLAN", peer: NEAR, options: { way: "vxlan" }, expected: "vxlan 192.0.2.2 1450: configured" },
  {
    name: "VXLAN over IPv6, which this node prefers",
    own: { ...ALPHA, addresses: ALPHA.addresses.toReversed() },
    peer: NEAR,
    options: { way: "vxlan" },
    expected: "vxlan 2001:db8::2 1430: configured",
  },
  { name: "GRE", peer: NEAR, options: { way: "gre" }, expected: "gre 192.0.2.2 1472: configured" },
  { name: "WireGuard without keys", peer: NEAR, options: { way: "wireguard" }, expected: "alpha has no WireGuard key" },
  {
    name: "WireGuard",
    own: withKey(ALPHA),
    peer: withKey(NEAR),
    options: { way: "wireguard" },
    expected: "wireguard+ 192.0.2.2 1440: configured",
  },
  {
    name: "encrypted, what would go directly",
    own: withKey(ALPHA),
    peer: withKey(NEAR),
    options: { encrypt: true },
    expected: "wireguard+ 192.0.2.2 1440: encrypted, instead of directly",
  },
  {
    name: "VXLAN within WireGuard",
    own: withKey(ALPHA, ["10.66.0.1"]),
    peer: withKey(FAR, ["10.66.0.65"]),
    options: { encrypt: true },
    expected: "vxlan+ 10.66.0.65 1390: not on one segment, encrypted",
  },
  {
    name: "VXLAN within WireGuard needs addresses inside",
    own: withKey(ALPHA, ["fd00::1"]),
    peer: withKey(FAR, ["10.66.0.65"]),
    options: { encrypt: true },
    expected: "alpha and far have no addresses in the cluster of one family yet",
  },
];

const text = (way: ChosenWay): string =>
  `${way.way}${way.encrypted ? "+" : ""} ${way.to} ${way.mtuBytes}: ${way.reason}`;

test.each(CASES)("$name", ({ own = ALPHA, peer, pods = 4, options, expected }) => {
  const way = wayTo({ own, peer, egressTo }, pods, { way: "auto", encrypt: false, ...options });
  expect(isChosen(way) ? text(way) : way.reason).toBe(expected);
});

test("a peer that no route leads to", () =>
  expect(wayTo({ own: ALPHA, peer: NEAR, egressTo: () => undefined }, 4, { way: "vxlan", encrypt: false })).toEqual({
    reason: "no route to near",
  }));

test("headers, by the outer family", () => {
  const ways = ["direct", "vxlan", "gre", "wireguard"] as const;
  expect(ways.map((way) => overheadOf(way, 4))).toEqual([0, 50, 28, 60]);
  expect(ways.map((way) => overheadOf(way, 6))).toEqual([0, 70, 48, 80]);
  expect(overheadOf("vxlan", 6, true, 4)).toBe(130);
  expect(overheadOf("gre", 4, true, 6)).toBe(108);
});

test("the table has cases", () => expect(CASES.length).toBeGreaterThan(0));
