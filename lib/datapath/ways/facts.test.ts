import { expect, test } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import { line } from "#lib/state/line.ts";
import { wayChains } from "./chains.ts";
import type { Here, There } from "./ends.ts";
import { type Devices, devicesWith, hereFacts, NO_DEVICES, peerFacts } from "./facts.ts";

const HERE: Here = {
  addresses: [address("192.0.2.1"), address("2001:db8::1")],
  tunnelAddresses: [address("10.66.0.1"), address("fd00::1")],
  tunnelMac: mac("02:00:00:00:00:01"),
  vxlan: { vni: 4_096, port: 4_789 },
  gre: { key: 7 },
  wireguard: { publicKey: "own=", port: 51_830 },
  encrypt: false,
  flowOffload: false,
};
const PEER: Omit<There, "ways"> = {
  name: "beta",
  addresses: [address("192.0.2.2"), address("2001:db8::2")],
  tunnelAddresses: [address("10.66.0.65"), address("fd00::65")],
  tunnelMac: mac("02:00:00:00:00:02"),
  prefixes: [prefix("10.66.0.64/26"), prefix("fd00::40/122"), prefix("10.66.9.9/32")],
  answers: {},
};
const KEYS = { active: "new=", others: ["old="], port: 51_830 };

const egress = { to: address("192.0.2.2"), link: "eth0", mtuBytes: 1500, source: address("192.0.2.1") };
const way = (of: Partial<ChosenWay> & Pick<ChosenWay, "way">): ChosenWay => ({
  encrypted: false,
  to: address("192.0.2.2"),
  egress,
  mtuBytes: 1450,
  reason: "",
  ...of,
});

const facts = (here: Here, there: There): string[] => {
  const devices = [there.ways[4], there.ways[6], there.answers[4], there.answers[6]]
    .filter((each) => each !== undefined)
    .reduce<Devices>(devicesWith, NO_DEVICES);
  return [...hereFacts(here, devices), ...peerFacts(here, there)].map((fact) => line({ do: "add", fact }).slice(2));
};

const NODE = [
  "link selvedge-node bridge up no-ipv6-link-local",
  "addr 10.66.0.1/32 dev selvedge-node",
  "addr fd00::1/128 dev selvedge-node",
];
const NODES = ["element inet selvedge nodes4 { 192.0.2.2 }", "element inet selvedge nodes6 { 2001:db8::2 }"];

const CASES: readonly [name: string, here: Here, there: There, expected: readonly string[]][] = [
  [
    "directly, IPv6 pods by a router",
    HERE,
    {
      ...PEER,
      ways: {
        4: way({ way: "direct", mtuBytes: 1500 }),
        6: way({
          way: "direct",
          to: address("2001:db8::fe"),
          egress: { ...egress, to: address("2001:db8::2"), via: address("2001:db8::fe") },
        }),
      },
    },
    [
      ...NODE,
      ...NODES,
      "route 10.66.0.64/26 via 192.0.2.2 dev eth0 metric 270",
      "route 10.66.9.9/32 via 192.0.2.2 dev eth0 metric 1415",
      "route fd00::40/122 via 2001:db8::fe dev eth0 mtu 1450",
    ],
  ],
  [
    "directly within a segment: the device's size goes without saying, a smaller one of the other node does not",
    HERE,
    {
      ...PEER,
      ways: {
        4: way({ way: "direct", mtuBytes: 1400 }),
        6: way({ way: "direct", to: address("2001:db8::2"), mtuBytes: 1500 }),
      },
    },
    [
      ...NODE,
      ...NODES,
      "route 10.66.0.64/26 via 192.0.2.2 dev eth0 metric 270 mtu 1400",
      "route 10.66.9.9/32 via 192.0.2.2 dev eth0 metric 1415 mtu 1400",
      "route fd00::40/122 via 2001:db8::2 dev eth0",
    ],
  ],
  [
    "in VXLAN: both families of pods by one entry",
    HERE,
    { ...PEER, ways: { 4: way({ way: "vxlan" }), 6: way({ way: "vxlan" }) } },
    [
      ...NODE,
      "link svx4 vxlan up id 4096 mtu 1450 mac 02:00:00:00:00:01 no-ipv6-link-local",
      ...NODES,
      "fdb 02:00:00:00:00:02 dev svx4 dst 192.0.2.2",
      "neigh 10.66.0.64 lladdr 02:00:00:00:00:02 dev svx4 permanent",
      "route 10.66.0.64/26 via 10.66.0.64 dev svx4 onlink src 10.66.0.1 metric 270 mtu 1450",
      "neigh 10.66.9.9 lladdr 02:00:00:00:00:02 dev svx4 permanent",
      "route 10.66.9.9/32 via 10.66.9.9 dev svx4 onlink src 10.66.0.1 metric 1415 mtu 1450",
      "neigh fd00::40 lladdr 02:00:00:00:00:02 dev svx4 permanent",
      "route fd00::40/122 via fd00::40 dev svx4 onlink src fd00::1 mtu 1450",
    ],
  ],
  [
    "in GRE over IPv6",
    HERE,
    {
      ...PEER,
      prefixes: [prefix("10.66.0.64/26")],
      ways: { 4: way({ way: "gre", to: address("2001:db8::2"), mtuBytes: 1452 }) },
    },
    [
      ...NODE,
      ...NODES,
      "link sg226471752f9 ip6gre up remote 2001:db8::2 key 7 mtu 1452 no-ipv6-link-local",
      "route 10.66.0.64/26 dev sg226471752f9 src 10.66.0.1 mtu 1452",
    ],
  ],
  [
    "in WireGuard, while the peer has two keys",
    HERE,
    {
      ...PEER,
      wireguard: KEYS,
      ways: {
        4: way({ way: "wireguard", encrypted: true, mtuBytes: 1440 }),
        6: way({ way: "wireguard", encrypted: true, mtuBytes: 1440 }),
      },
    },
    [
      ...NODE,
      "link swg0 wireguard up key own= mtu 1440 no-ipv6-link-local",
      ...NODES,
      "wg peer new= dev swg0 endpoint 192.0.2.2 port 51830 allowed-ips 10.66.0.64/26,10.66.0.65/32,10.66.9.9/32,fd00::40/122,fd00::65/128",
      "wg peer old= dev swg0 endpoint 192.0.2.2 port 51830 allowed-ips none",
      "route 10.66.0.64/26 dev swg0 src 10.66.0.1 mtu 1440",
      "route 10.66.9.9/32 dev swg0 src 10.66.0.1 mtu 1440",
      "route fd00::40/122 dev swg0 src fd00::1 mtu 1440",
    ],
  ],
  [
    "in VXLAN within WireGuard",
    { ...HERE, encrypt: true },
    {
      ...PEER,
      prefixes: [prefix("10.66.0.64/26")],
      wireguard: { ...KEYS, others: [] },
      ways: { 4: way({ way: "vxlan", encrypted: true, to: address("10.66.0.65"), mtuBytes: 1390 }) },
    },
    [
      ...NODE,
      "link swg0 wireguard up key own= mtu 1440 no-ipv6-link-local",
      "link svx4 vxlan up id 4096 mtu 1390 mac 02:00:00:00:00:01 no-ipv6-link-local",
      ...NODES,
      "wg peer new= dev swg0 endpoint 192.0.2.2 port 51830 allowed-ips 10.66.0.65/32,fd00::65/128",
      "route 10.66.0.65/32 dev swg0 src 10.66.0.1 mtu 1440",
      "fdb 02:00:00:00:00:02 dev svx4 dst 10.66.0.65",
      "neigh 10.66.0.64 lladdr 02:00:00:00:00:02 dev svx4 permanent",
      "route 10.66.0.64/26 via 10.66.0.64 dev svx4 onlink src 10.66.0.1 metric 270 mtu 1390",
    ],
  ],
  [
    "in WireGuard, and answers from outside in VXLAN within it, by a table of their own",
    { ...HERE, encrypt: true },
    {
      ...PEER,
      prefixes: [prefix("10.66.0.64/26"), prefix("fd00::40/122"), prefix("fd00::9/128")],
      wireguard: { ...KEYS, others: [] },
      ways: { 4: way({ way: "wireguard", encrypted: true, mtuBytes: 1440 }) },
      answers: {
        4: way({ way: "vxlan", encrypted: true, to: address("10.66.0.65"), mtuBytes: 1390 }),
        6: way({ way: "vxlan", encrypted: true, to: address("10.66.0.65"), mtuBytes: 1390 }),
      },
    },
    [
      ...NODE,
      "link swg0 wireguard up key own= mtu 1440 no-ipv6-link-local",
      "link svx4 vxlan up id 4096 mtu 1390 mac 02:00:00:00:00:01 no-ipv6-link-local",
      ...NODES,
      "wg peer new= dev swg0 endpoint 192.0.2.2 port 51830 allowed-ips 10.66.0.64/26,10.66.0.65/32,fd00::65/128",
      "route 10.66.0.64/26 dev swg0 src 10.66.0.1 mtu 1440",
      "route 10.66.0.65/32 dev swg0 src 10.66.0.1 mtu 1440",
      "fdb 02:00:00:00:00:02 dev svx4 dst 10.66.0.65",
      "neigh 10.66.0.64 lladdr 02:00:00:00:00:02 dev svx4 permanent",
      "route 10.66.0.64/26 via 10.66.0.64 dev svx4 onlink src 10.66.0.1 metric 270 mtu 1390 table 53254",
      "neigh fe80::200:0:2 lladdr 02:00:00:00:00:02 dev svx4 permanent",
      "route fd00::40/122 via fe80::200:0:2 dev svx4 onlink src fd00::1 mtu 1390 table 53254",
      "route fd00::9/128 via fe80::200:0:2 dev svx4 onlink src fd00::1 mtu 1390 table 53254",
    ],
  ],
  ["a peer without a way", HERE, { ...PEER, ways: {} }, [...NODE, ...NODES]],
];

test.each(CASES)("%s", (_name, here, there, expected) => expect(facts(here, there)).toEqual(expected));
test("the table has cases", () => expect(CASES.length).toBeGreaterThan(0));

test("a node without addresses among pods has no link for them, and routes without a source", () => {
  const lines = facts({ ...HERE, tunnelAddresses: [] }, { ...PEER, ways: { 4: way({ way: "vxlan" }) } });
  expect(lines).toContain("route 10.66.0.64/26 via 10.66.0.64 dev svx4 onlink metric 270 mtu 1450");
  expect(lines.filter((each) => each.includes("selvedge-node"))).toEqual([]);
});

test("the largest packet of any peer is that of the shared device", () => {
  const ways = [1450, 8950, 1400].map((mtuBytes) => way({ way: "vxlan", mtuBytes }));
  expect(ways.reduce<Devices>(devicesWith, NO_DEVICES)).toEqual({ vxlan: { 4: 8950 } });
});

test("what comes directly, by VXLAN and by WireGuard is offloaded where that is asked for, what comes by GRE is not", () => {
  const offloading = { ...HERE, flowOffload: true };
  const links = (of: Parameters<typeof way>[0]): string[] =>
    facts(offloading, { ...PEER, ways: { 4: way(of) } }).filter((each) => each.includes("offload"));
  expect(links({ way: "direct" })).toEqual(["element inet selvedge offloading { eth0 }", "offload dev eth0"]);
  expect(links({ way: "vxlan" })).toEqual(["element inet selvedge offloading { svx4 }", "offload dev svx4"]);
  expect(links({ way: "wireguard", encrypted: true })).toEqual([
    "element inet selvedge offloading { swg0 }",
    "offload dev swg0",
  ]);
  expect(links({ way: "gre" })).toEqual([]);
});

test("the links of direct ways are each there once", () => {
  const [a, b] = ["eth1", "eth0"].map((link) => way({ way: "direct", egress: { ...egress, link } }));
  expect([a, b, a].flatMap((each) => each ?? []).reduce<Devices>(devicesWith, NO_DEVICES)).toEqual({
    vxlan: {},
    direct: ["eth0", "eth1"],
  });
});

test("flows are offloaded by the last chain of all, and by none unless that is asked for", () => {
  const chains = (flowOffload: boolean) =>
    wayChains({ ...HERE, flowOffload }).filter(({ rules }) => rules.some((rule) => rule.includes("flow add")));
  expect(chains(false)).toEqual([]);
  expect(chains(true)).toEqual([
    {
      name: "ways_offload",
      hook: "type filter hook forward priority 500",
      flowtable: "offloaded { hook ingress priority 0; }",
      rules: [
        "iifname @offloading oifname @guarded meta l4proto { tcp, udp } ct state established flow add @offloaded",
      ],
    },
  ]);
});
