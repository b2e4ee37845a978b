import { expect, test } from "@jest/globals";
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { Op } from "./diff.ts";
import type { Fact } from "./fact.ts";
import { line } from "./line.ts";

const [a4, a6] = ["10.1.0.5" as Address, "fd00::5" as Address];
const mac = "02:00:00:00:00:01" as Mac;

/** At least one fact of every type, each with all its fields somewhere. */
const table: Record<Fact["type"], readonly [text: string, fact: Fact][]> = {
  link: [
    ["link sv1 veth down", { type: "link", at: "host", name: "sv1", kind: "veth", up: false }],
    [
      "link sv1 veth up mtu 1450 mac 02:00:00:00:00:01 peer eth0 master br0 hairpin quiet promisc no-ipv6-link-local route-localnet",
      {
        type: "link",
        at: "host",
        name: "sv1",
        kind: "veth",
        up: true,
        mtu: 1450,
        mac,
        alias: "selvedge c1 eth0",
        peer: { at: "pod", name: "eth0" },
        master: "br0",
        hairpin: true,
        quiet: true,
        promiscuous: true,
        noIpv6LinkLocal: true,
        routeLocalnet: true,
      },
    ],
    [
      "link eth1 [pod] macvlan up parent ens1 mode vepa mtu 1500",
      {
        type: "link",
        at: "pod",
        name: "eth1",
        kind: "macvlan",
        up: true,
        mtu: 1500,
        parent: { at: "host", name: "ens1" },
        mode: "vepa",
      },
    ],
    ["link eth0 [pod] veth up", { type: "link", at: "pod", name: "eth0", kind: "veth", up: true, hairpin: false }],
  ],
  address: [
    [
      "addr 10.1.0.5/16 dev eth0 [pod]",
      { type: "address", at: "pod", link: "eth0", address: "10.1.0.5/16" as Prefix, announce: true },
    ],
  ],
  route: [
    [
      "route unreachable 10.1.0.0/16 dev lo metric 9",
      {
        type: "route",
        at: "host",
        to: "10.1.0.0/16" as Prefix,
        link: "lo",
        metric: 9,
        unreachable: true,
      },
    ],
    ["route 10.1.0.5/32 dev sv1", { type: "route", at: "host", to: "10.1.0.5/32" as Prefix, link: "sv1" }],
    [
      "route ::/0 via fd00::5 dev eth0 [pod] onlink src fd00::5 metric 0 mtu 1400 advmss 1340 scope 0 table 100",
      {
        type: "route",
        at: "pod",
        to: "::/0" as Prefix,
        link: "eth0",
        via: a6,
        onlink: true,
        source: a6,
        metric: 0,
        mtu: 1400,
        advmss: 1340,
        scope: 0,
        table: 100,
      },
    ],
  ],
  neighbour: [
    [
      "neigh 10.1.0.5 lladdr 02:00:00:00:00:01 dev sv1 permanent",
      { type: "neighbour", at: "host", link: "sv1", address: a4, mac },
    ],
  ],
  rule: [
    ["rule priority 5300 from all table 100", { type: "rule", at: "host", family: 4, priority: 5300, table: 100 }],
    [
      "rule -6 [pod] priority 5301 from fd00::/64 iif eth0 table 101",
      { type: "rule", at: "pod", family: 6, priority: 5301, table: 101, from: "fd00::/64" as Prefix, iif: "eth0" },
    ],
  ],
  sysctl: [["sysctl net/ipv4/ip_forward=1", { type: "sysctl", at: "host", key: "net/ipv4/ip_forward", value: "1" }]],
  shaper: [
    [
      "qdisc tbf dev sv1 rate 1000000bit burst 32768b latency 25000us",
      { type: "shaper", at: "host", link: "sv1", rateBits: 1_000_000, burstBytes: 32_768, latencyUs: 25_000 },
    ],
  ],
  tree: [
    [
      "qdisc htb dev sb1 rate 8000000bit burst 32768b latency 25000us class 16 source 02:00:00:00:00:01 rate 4000000bit ceil 8000000bit prio 3",
      {
        type: "tree",
        at: "host",
        link: "sb1",
        rateBits: 8_000_000,
        burstBytes: 32_768,
        latencyUs: 25_000,
        classes: [
          {
            id: 16,
            match: { field: "source", mac },
            rateBits: 4_000_000,
            ceilBits: 8_000_000,
            burstBytes: 32_768,
            order: 3,
          },
        ],
      },
    ],
  ],
  redirect: [
    ["filter ingress dev sv1 redirect sb1", { type: "redirect", at: "host", link: "sv1", to: "sb1" }],
    ["filter egress dev sv1 redirect sc1", { type: "redirect", at: "host", link: "sv1", to: "sc1", hook: "egress" }],
  ],
  mirror: [
    [
      "filter ingress dev sv1 mirror sm1 slot 0 matches 1",
      {
        type: "mirror",
        at: "host",
        link: "sv1",
        hook: "ingress",
        slot: 0,
        to: "sm1",
        matches: [{ protocol: "all", words: [] }],
      },
    ],
  ],
  "port-vlan": [
    ["vlan 7 dev sv1", { type: "port-vlan", at: "host", link: "sv1", vid: 7, pvid: false, untagged: false }],
    [
      "vlan 8 dev br0 [pod] pvid untagged",
      { type: "port-vlan", at: "pod", link: "br0", vid: 8, pvid: true, untagged: true },
    ],
  ],
  forward: [["fdb 02:00:00:00:00:01 dev sx1 dst 10.1.0.5", { type: "forward", at: "host", link: "sx1", mac, to: a4 }]],
  offload: [["offload dev svx4", { type: "offload", at: "host", link: "svx4" }]],
  "port-mac": [["fdb 02:00:00:00:00:01 dev sx1 master", { type: "port-mac", at: "host", link: "sx1", mac }]],
  "wireguard-peer": [
    [
      "wg peer 2Ag= dev swg0 endpoint fd00::5 port 51830 allowed-ips 10.1.0.0/26",
      {
        type: "wireguard-peer",
        at: "host",
        link: "swg0",
        publicKey: "2Ag=",
        endpoint: { address: a6, port: 51_830 },
        allowed: ["10.1.0.0/26" as Prefix],
      },
    ],
  ],
  vf: [
    [
      "vf 3 dev ens1 vlan 7 trust true",
      { type: "vf", at: "host", link: "ens1", vf: 3, settings: { vlan: 7, trust: true } },
    ],
  ],
  rdma: [["rdma mlx5_2 [pod]", { type: "rdma", at: "pod", name: "mlx5_2" }]],
  driver: [
    [
      "driver 0000:3b:02.1 vfio-pci",
      { type: "driver", at: "host", pci: "0000:3b:02.1", driver: "vfio-pci", before: "" },
    ],
  ],
  table: [
    ["table inet selvedge", { type: "table", at: "host", family: "inet", name: "selvedge", text: "add table …" }],
  ],
  element: [
    [
      "element inet selvedge guarded { sv1 }",
      { type: "element", at: "host", family: "inet", table: "selvedge", set: "guarded", key: ["sv1"] },
    ],
    [
      "element inet selvedge ports4 { tcp . 80 : 10.1.0.5 . 8080 }",
      {
        type: "element",
        at: "host",
        family: "inet",
        table: "selvedge",
        set: "ports4",
        key: ["tcp", "80"],
        value: ["10.1.0.5", "8080"],
      },
    ],
  ],
};

const rows = Object.values(table).flat();

test("every type of fact has a row", () => {
  expect(Object.keys(table)).toHaveLength(20);
  for (const [type, of] of Object.entries(table)) {
    expect(of.length).toBeGreaterThan(0);
    for (const [, fact] of of) expect(fact.type).toBe(type);
  }
});

test.each(rows)("%s", (text, fact) => expect(line({ do: "add", fact })).toBe(`+ ${text}`));

test("the sign tells the operation, and a change prints what is wanted", () => {
  const fact: Fact = { type: "redirect", at: "host", link: "sv1", to: "sb1" };
  const ops: Op[] = [
    { do: "add", fact },
    { do: "change", fact, was: { ...fact, to: "sb2" } },
    { do: "remove", fact },
  ];
  expect(ops.map(line)).toEqual([
    "+ filter ingress dev sv1 redirect sb1",
    "~ filter ingress dev sv1 redirect sb1",
    "- filter ingress dev sv1 redirect sb1",
  ]);
});
