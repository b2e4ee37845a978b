import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { needing } from "../../../test/support/requirement.ts";
import { grammar, grammarFile } from "../../../test/support/vyos/grammar.ts";
import { choiceText } from "../chosen.ts";
import { DIALECTS, type Version } from "../dialect.ts";
import { lineOf } from "../path.ts";
import { overlapping } from "../piece.ts";
import type { EdgeView, RouterSpec } from "../router.ts";
import { render } from "./render.ts";

const CHOSEN = { namespace: "shop", labels: { app: "web" }, most: 2 };
const VIEW: EdgeView = {
  pools: [
    { name: "default", prefixes: [prefix("10.66.0.0/16"), prefix("fd66::/64")], isExposed: true },
    { name: "media", prefixes: [prefix("10.67.0.0/20")], isExposed: true },
    { name: "blue", prefixes: [prefix("10.0.0.0/16")], isExposed: false },
  ],
  nodes: [
    {
      name: "alpha",
      addresses: [address("192.0.2.11"), address("2001:db8::11")],
      isAlive: true,
      destinations: [
        { pool: "default", prefix: prefix("10.66.0.0/26") },
        { pool: "default", prefix: prefix("10.66.0.64/26") },
        { pool: "default", prefix: prefix("fd66::/122") },
        { pool: "blue", prefix: prefix("10.0.0.0/26") },
      ],
    },
    {
      name: "beta",
      addresses: [address("192.0.2.12"), address("2001:db8::12")],
      isAlive: true,
      destinations: [
        { pool: "default", prefix: prefix("10.66.0.128/26") },
        { pool: "default", prefix: prefix("10.66.9.9/32") },
      ],
    },
    {
      name: "gamma",
      addresses: [address("192.0.2.13")],
      isAlive: false,
      destinations: [{ pool: "default", prefix: prefix("10.66.1.0/26") }],
    },
  ],
  egress: [],
  pods: new Map([
    [choiceText(CHOSEN), ["10.66.0.6", "10.66.0.5", "10.66.9.1", "fd66::5"].map((each) => address(each))],
  ]),
};
/** 32 bytes. */
const KEY = Buffer.alloc(32, 7).toString("base64");
const NAT = { firstRule: 5_000, masquerade: [], egress: [], oneToOne: [], publish: [] };
const ROUTER: RouterSpec = {
  name: "edge1",
  pools: [],
  nat: NAT,
  groups: [],
  loadBalancers: [],
  virtualServers: [],
  vrfs: [],
  shapers: [],
  sites: [],
};

const lines = (spec: Partial<RouterSpec>, version: Version = "1.4"): string[] =>
  render({ ...ROUTER, ...spec }, VIEW, DIALECTS[version]).flatMap(({ paths }) => paths.map(lineOf));

const CASES: readonly [name: string, spec: Partial<RouterSpec>, expected: readonly string[]][] = [
  ["nothing is asked for", {}, []],
  [
    "static: each pool by every node that lives",
    { static: { routes: "pools" } },
    [
      "protocols static route 10.66.0.0/16 next-hop 192.0.2.11",
      "protocols static route 10.66.0.0/16 next-hop 192.0.2.12",
      "protocols static route 10.67.0.0/20 next-hop 192.0.2.11",
      "protocols static route 10.67.0.0/20 next-hop 192.0.2.12",
      "protocols static route6 fd66::/64 next-hop 2001:db8::11",
      "protocols static route6 fd66::/64 next-hop 2001:db8::12",
    ],
  ],
  [
    "static: what each node has, neighbouring blocks as one, with distance and BFD, in a VRF",
    { static: { routes: "blocks", distance: 20, bfd: "nodes", vrf: "PODS" } },
    [
      "vrf name PODS protocols static route 10.66.0.0/25 next-hop 192.0.2.11 distance 20",
      "vrf name PODS protocols static route 10.66.0.0/25 next-hop 192.0.2.11 bfd profile nodes",
      "vrf name PODS protocols static route6 fd66::/122 next-hop 2001:db8::11 distance 20",
      "vrf name PODS protocols static route6 fd66::/122 next-hop 2001:db8::11 bfd profile nodes",
      "vrf name PODS protocols static route 10.66.0.128/26 next-hop 192.0.2.12 distance 20",
      "vrf name PODS protocols static route 10.66.0.128/26 next-hop 192.0.2.12 bfd profile nodes",
      "vrf name PODS protocols static route 10.66.9.9/32 next-hop 192.0.2.12 distance 20",
      "vrf name PODS protocols static route 10.66.9.9/32 next-hop 192.0.2.12 bfd profile nodes",
    ],
  ],
  [
    "BGP with whoever calls from a prefix, one pool",
    {
      pools: ["media"],
      bgp: {
        as: 65_000,
        nodesAs: 65_001,
        addresses: [],
        listen: [prefix("192.0.2.0/24")],
        password: "s3cret",
        bfd: true,
        multihop: 2,
        multipath: 8,
        maximumPrefixes: 200,
        communities: ["65000:100"],
        localPreference: 200,
        defaultRoute: true,
      },
    },
    [
      "policy prefix-list SELVEDGE-IN rule 10 action permit",
      "policy prefix-list SELVEDGE-IN rule 10 prefix 10.67.0.0/20",
      "policy prefix-list SELVEDGE-IN rule 10 le 32",
      "policy route-map SELVEDGE-IN rule 10 action permit",
      "policy route-map SELVEDGE-IN rule 10 match ip address prefix-list SELVEDGE-IN",
      "policy route-map SELVEDGE-IN rule 10 set community add 65000:100",
      "policy route-map SELVEDGE-IN rule 10 set local-preference 200",
      "policy route-map SELVEDGE-OUT rule 10 action deny",
      "protocols bgp system-as 65000",
      "protocols bgp peer-group SELVEDGE remote-as 65001",
      "protocols bgp peer-group SELVEDGE password '(secret 3040f9a92dbf)'",
      "protocols bgp peer-group SELVEDGE bfd",
      "protocols bgp peer-group SELVEDGE ebgp-multihop 2",
      "protocols bgp peer-group SELVEDGE address-family ipv4-unicast route-map import SELVEDGE-IN",
      "protocols bgp peer-group SELVEDGE address-family ipv4-unicast route-map export SELVEDGE-OUT",
      "protocols bgp peer-group SELVEDGE address-family ipv4-unicast maximum-prefix 200",
      "protocols bgp peer-group SELVEDGE address-family ipv4-unicast default-originate",
      "protocols bgp address-family ipv4-unicast maximum-paths ebgp 8",
      "protocols bgp listen range 192.0.2.0/24 peer-group SELVEDGE",
    ],
  ],
  [
    "BGP with each node by its first address of each family",
    {
      bgp: {
        as: 65_000,
        nodesAs: "external",
        addresses: [],
        listen: [],
        multipath: 4,
        communities: [],
        defaultRoute: false,
        vrf: "PODS",
      },
    },
    [
      "policy prefix-list SELVEDGE-IN rule 10 action permit",
      "policy prefix-list SELVEDGE-IN rule 10 prefix 10.66.0.0/16",
      "policy prefix-list SELVEDGE-IN rule 10 le 32",
      "policy prefix-list SELVEDGE-IN rule 20 action permit",
      "policy prefix-list SELVEDGE-IN rule 20 prefix 10.67.0.0/20",
      "policy prefix-list SELVEDGE-IN rule 20 le 32",
      "policy prefix-list6 SELVEDGE-IN rule 10 action permit",
      "policy prefix-list6 SELVEDGE-IN rule 10 prefix fd66::/64",
      "policy prefix-list6 SELVEDGE-IN rule 10 le 128",
      "policy route-map SELVEDGE-IN rule 10 action permit",
      "policy route-map SELVEDGE-IN rule 10 match ip address prefix-list SELVEDGE-IN",
      "policy route-map SELVEDGE-IN rule 20 action permit",
      "policy route-map SELVEDGE-IN rule 20 match ipv6 address prefix-list SELVEDGE-IN",
      "policy route-map SELVEDGE-OUT rule 10 action deny",
      "vrf name PODS protocols bgp system-as 65000",
      "vrf name PODS protocols bgp peer-group SELVEDGE remote-as external",
      "vrf name PODS protocols bgp peer-group SELVEDGE address-family ipv4-unicast route-map import SELVEDGE-IN",
      "vrf name PODS protocols bgp peer-group SELVEDGE address-family ipv4-unicast route-map export SELVEDGE-OUT",
      "vrf name PODS protocols bgp peer-group SELVEDGE address-family ipv6-unicast route-map import SELVEDGE-IN",
      "vrf name PODS protocols bgp peer-group SELVEDGE address-family ipv6-unicast route-map export SELVEDGE-OUT",
      "vrf name PODS protocols bgp address-family ipv4-unicast maximum-paths ebgp 4",
      "vrf name PODS protocols bgp address-family ipv6-unicast maximum-paths ebgp 4",
      "vrf name PODS protocols bgp neighbor 192.0.2.11 peer-group SELVEDGE",
      "vrf name PODS protocols bgp neighbor 2001:db8::11 peer-group SELVEDGE",
      "vrf name PODS protocols bgp neighbor 192.0.2.12 peer-group SELVEDGE",
      "vrf name PODS protocols bgp neighbor 2001:db8::12 peer-group SELVEDGE",
      "vrf name PODS protocols bgp neighbor 192.0.2.13 peer-group SELVEDGE",
    ],
  ],
  [
    "NAT: one to one before egress before masquerade",
    {
      nat: {
        firstRule: 100,
        masquerade: [{ interface: "eth0" }],
        egress: [{ source: prefix("10.66.9.0/24"), address: address("198.51.100.9"), interface: "eth0" }],
        oneToOne: [{ outside: address("198.51.100.5"), inside: address("10.66.9.9"), interface: "eth0" }],
        publish: [
          {
            name: "web",
            interface: "eth0",
            address: address("198.51.100.7"),
            protocol: "tcp",
            port: 443,
            to: { address: address("10.66.0.5"), port: 8_443 },
          },
        ],
      },
    },
    [
      "nat source rule 100 description 'selvedge 10.66.9.9'",
      "nat source rule 100 outbound-interface name eth0",
      "nat source rule 100 source address 10.66.9.9",
      "nat source rule 100 translation address 198.51.100.5",
      "nat destination rule 100 description 'selvedge 198.51.100.5'",
      "nat destination rule 100 inbound-interface name eth0",
      "nat destination rule 100 destination address 198.51.100.5",
      "nat destination rule 100 translation address 10.66.9.9",
      "nat source rule 1100 description 'selvedge egress 198.51.100.9'",
      "nat source rule 1100 outbound-interface name eth0",
      "nat source rule 1100 source address 10.66.9.0/24",
      "nat source rule 1100 translation address 198.51.100.9",
      "nat source rule 2100 description 'selvedge 10.66.0.0/16'",
      "nat source rule 2100 outbound-interface name eth0",
      "nat source rule 2100 source address 10.66.0.0/16",
      "nat source rule 2100 translation address masquerade",
      "nat source rule 2101 description 'selvedge 10.67.0.0/20'",
      "nat source rule 2101 outbound-interface name eth0",
      "nat source rule 2101 source address 10.67.0.0/20",
      "nat source rule 2101 translation address masquerade",
      "nat66 source rule 2102 description 'selvedge fd66::/64'",
      "nat66 source rule 2102 outbound-interface name eth0",
      "nat66 source rule 2102 source prefix fd66::/64",
      "nat66 source rule 2102 translation address masquerade",
      "nat destination rule 1100 description 'selvedge web'",
      "nat destination rule 1100 inbound-interface name eth0",
      "nat destination rule 1100 destination address 198.51.100.7",
      "nat destination rule 1100 destination port 443",
      "nat destination rule 1100 protocol tcp",
      "nat destination rule 1100 translation address 10.66.0.5",
      "nat destination rule 1100 translation port 8443",
    ],
  ],
  [
    "NAT of IPv6: prefixes, and rules of its own",
    {
      nat: {
        firstRule: 100,
        masquerade: [],
        egress: [{ source: prefix("fd00:9::/64"), address: address("2001:db8::9"), interface: "eth0" }],
        oneToOne: [{ outside: address("2001:db8::5"), inside: address("fd00:9::9"), interface: "eth0" }],
        publish: [
          {
            name: "web",
            interface: "eth0",
            protocol: "tcp",
            port: 443,
            to: { address: address("fd00::5"), port: 8_443 },
          },
        ],
      },
    },
    [
      "nat66 source rule 100 description 'selvedge fd00:9::9'",
      "nat66 source rule 100 outbound-interface name eth0",
      "nat66 source rule 100 source prefix fd00:9::9/128",
      "nat66 source rule 100 translation address 2001:db8::5",
      "nat66 destination rule 100 description 'selvedge 2001:db8::5'",
      "nat66 destination rule 100 inbound-interface name eth0",
      "nat66 destination rule 100 destination address 2001:db8::5",
      "nat66 destination rule 100 translation address fd00:9::9",
      "nat66 source rule 1100 description 'selvedge egress 2001:db8::9'",
      "nat66 source rule 1100 outbound-interface name eth0",
      "nat66 source rule 1100 source prefix fd00:9::/64",
      "nat66 source rule 1100 translation address 2001:db8::9",
      "nat66 destination rule 1100 description 'selvedge web'",
      "nat66 destination rule 1100 inbound-interface name eth0",
      "nat66 destination rule 1100 destination port 443",
      "nat66 destination rule 1100 protocol tcp",
      "nat66 destination rule 1100 translation address fd00::5",
      "nat66 destination rule 1100 translation port 8443",
    ],
  ],
  [
    "a chain of rules, of both families; who has no members is in no rule",
    {
      pools: ["media"],
      groups: [
        { name: "MEDIA", of: "pools" },
        { name: "NODES", of: "nodes" },
      ],
      firewall: {
        chain: "SELVEDGE",
        jumpRule: 500,
        otherwise: "drop",
        rules: [
          {
            name: "sip",
            action: "accept",
            from: { group: "MEDIA" },
            protocol: "udp",
            ports: [5_060, 5_061],
            log: false,
          },
          { name: "ping", action: "accept", to: { group: "NODES" }, protocol: "icmp", ports: [], log: true },
          { name: "lab", action: "reject", from: { prefix: prefix("2001:db8:1::/48") }, ports: [], log: false },
        ],
      },
    },
    [
      "firewall group network-group MEDIA network 10.67.0.0/20",
      "firewall group address-group NODES address 192.0.2.11",
      "firewall group address-group NODES address 192.0.2.12",
      "firewall group address-group NODES address 192.0.2.13",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::11",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::12",
      "firewall ipv4 name SELVEDGE default-action drop",
      "firewall ipv4 name SELVEDGE rule 1 action accept",
      "firewall ipv4 name SELVEDGE rule 1 state established",
      "firewall ipv4 name SELVEDGE rule 1 state related",
      "firewall ipv4 name SELVEDGE rule 10 description 'selvedge sip'",
      "firewall ipv4 name SELVEDGE rule 10 action accept",
      "firewall ipv4 name SELVEDGE rule 10 source group network-group MEDIA",
      "firewall ipv4 name SELVEDGE rule 10 protocol udp",
      "firewall ipv4 name SELVEDGE rule 10 destination port 5060,5061",
      "firewall ipv4 name SELVEDGE rule 20 description 'selvedge ping'",
      "firewall ipv4 name SELVEDGE rule 20 action accept",
      "firewall ipv4 name SELVEDGE rule 20 destination group address-group NODES",
      "firewall ipv4 name SELVEDGE rule 20 protocol icmp",
      "firewall ipv4 name SELVEDGE rule 20 log",
      "firewall ipv4 forward filter rule 500 action jump",
      "firewall ipv4 forward filter rule 500 jump-target SELVEDGE",
      "firewall ipv6 name SELVEDGE-6 default-action drop",
      "firewall ipv6 name SELVEDGE-6 rule 1 action accept",
      "firewall ipv6 name SELVEDGE-6 rule 1 state established",
      "firewall ipv6 name SELVEDGE-6 rule 1 state related",
      "firewall ipv6 name SELVEDGE-6 rule 20 description 'selvedge ping'",
      "firewall ipv6 name SELVEDGE-6 rule 20 action accept",
      "firewall ipv6 name SELVEDGE-6 rule 20 destination group address-group NODES-6",
      "firewall ipv6 name SELVEDGE-6 rule 20 protocol ipv6-icmp",
      "firewall ipv6 name SELVEDGE-6 rule 20 log",
      "firewall ipv6 name SELVEDGE-6 rule 30 description 'selvedge lab'",
      "firewall ipv6 name SELVEDGE-6 rule 30 action reject",
      "firewall ipv6 name SELVEDGE-6 rule 30 source address 2001:db8:1::/48",
      "firewall ipv6 forward filter rule 500 action jump",
      "firewall ipv6 forward filter rule 500 jump-target SELVEDGE-6",
    ],
  ],
  [
    "groups of pods, those that follow one another as one entry; one that has no members is there",
    {
      groups: [
        { name: "WEB", of: "pods", pods: CHOSEN },
        { name: "NONE", of: "pods", pods: { labels: { app: "none" }, most: 2 } },
      ],
    },
    [
      "firewall group address-group WEB",
      "firewall group address-group WEB address 10.66.0.5-10.66.0.6",
      "firewall group address-group WEB address 10.66.9.1",
      "firewall group ipv6-address-group WEB-6",
      "firewall group ipv6-address-group WEB-6 address fd66::5",
      "firewall group address-group NONE",
      "firewall group ipv6-address-group NONE-6",
    ],
  ],
  [
    "virtual servers: addresses, and pods of the asked address's family; without pods there is none",
    {
      virtualServers: [
        {
          name: "dns",
          address: address("198.51.100.7"),
          port: 53,
          protocol: "udp",
          algorithm: "source-hashing",
          persistenceSeconds: 10,
          servers: [
            { address: address("10.66.0.5"), port: 1_053 },
            { address: address("10.66.0.6"), port: 1_053 },
          ],
        },
        {
          name: "web-6",
          address: address("2001:db8::7"),
          port: 443,
          protocol: "tcp",
          algorithm: "least-connection",
          pods: { ...CHOSEN, port: 8_443 },
        },
        {
          name: "none",
          address: address("198.51.100.7"),
          port: 80,
          protocol: "tcp",
          algorithm: "round-robin",
          pods: { labels: { app: "none" }, most: 2, port: 80 },
        },
      ],
    },
    [
      "high-availability virtual-server selvedge-dns address 198.51.100.7",
      "high-availability virtual-server selvedge-dns port 53",
      "high-availability virtual-server selvedge-dns protocol udp",
      "high-availability virtual-server selvedge-dns algorithm source-hashing",
      "high-availability virtual-server selvedge-dns persistence-timeout 10",
      "high-availability virtual-server selvedge-dns real-server 10.66.0.5 port 1053",
      "high-availability virtual-server selvedge-dns real-server 10.66.0.6 port 1053",
      "high-availability virtual-server selvedge-web-6 address 2001:db8::7",
      "high-availability virtual-server selvedge-web-6 port 443",
      "high-availability virtual-server selvedge-web-6 protocol tcp",
      "high-availability virtual-server selvedge-web-6 algorithm least-connection",
      "high-availability virtual-server selvedge-web-6 real-server fd66::5 port 8443",
    ],
  ],
  [
    "one of a pair on two networks, one of them of both families, that lets the other be",
    {
      pair: {
        name: "gate",
        isPreferred: false,
        preempt: false,
        advertiseSeconds: 2,
        networks: [
          {
            interface: "eth1",
            vrid: 10,
            addresses: [prefix("192.0.2.254/24"), prefix("2001:db8:1::254/64")],
          },
          { interface: "eth2.7", vrid: 20, addresses: [prefix("198.51.100.254/24")] },
        ],
      },
    },
    [
      ...[
        ["SELVEDGE-gate-eth1-4", "eth1", "10", "192.0.2.254/24"],
        ["SELVEDGE-gate-eth1-6", "eth1", "10", "2001:db8:1::254/64"],
        ["SELVEDGE-gate-eth2-7-4", "eth2.7", "20", "198.51.100.254/24"],
      ].flatMap(([group, link, vrid, virtual]) =>
        [
          `interface ${link}`,
          `vrid ${vrid}`,
          "priority 100",
          "advertise-interval 2",
          "no-preempt",
          `address ${virtual}`,
        ].map((line) => `high-availability vrrp group ${group} ${line}`),
      ),
      "high-availability vrrp sync-group SELVEDGE-gate member SELVEDGE-gate-eth1-4",
      "high-availability vrrp sync-group SELVEDGE-gate member SELVEDGE-gate-eth1-6",
      "high-availability vrrp sync-group SELVEDGE-gate member SELVEDGE-gate-eth2-7-4",
    ],
  ],
  [
    "the preferred of a pair on one network",
    {
      pair: {
        name: "gate",
        isPreferred: true,
        preempt: true,
        advertiseSeconds: 1,
        networks: [{ interface: "eth1", vrid: 10, addresses: [prefix("192.0.2.254/24")] }],
      },
    },
    ["interface eth1", "vrid 10", "priority 200", "advertise-interval 1", "address 192.0.2.254/24"].map(
      (line) => `high-availability vrrp group SELVEDGE-gate-eth1-4 ${line}`,
    ),
  ],
  [
    "groups of both families, zones",
    {
      groups: [
        { name: "PODS", of: "pools" },
        { name: "NODES", of: "nodes" },
      ],
      forwarding: { zones: [{ domain: "cluster.local", servers: [address("10.66.0.10")] }] },
    },
    [
      "firewall group network-group PODS network 10.66.0.0/16",
      "firewall group network-group PODS network 10.67.0.0/20",
      "firewall group ipv6-network-group PODS-6 network fd66::/64",
      "firewall group address-group NODES address 192.0.2.11",
      "firewall group address-group NODES address 192.0.2.12",
      "firewall group address-group NODES address 192.0.2.13",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::11",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::12",
      "service dns forwarding domain cluster.local name-server 10.66.0.10",
    ],
  ],
  [
    "VRFs, and shares of what leaves by code point",
    {
      vrfs: [{ name: "PODS", table: 1_001 }],
      shapers: [
        {
          interface: "eth0.12",
          rate: 1_000_000_000,
          classes: [
            { dscp: 46, percent: 30, priority: 0 },
            { dscp: 10, percent: 20 },
          ],
        },
      ],
    },
    [
      "vrf name PODS table 1001",
      "qos policy shaper SELVEDGE-eth0-12 bandwidth 1000000000bit",
      "qos policy shaper SELVEDGE-eth0-12 default bandwidth 50%",
      "qos policy shaper SELVEDGE-eth0-12 default ceiling 100%",
      "qos policy shaper SELVEDGE-eth0-12 class 10 bandwidth 30%",
      "qos policy shaper SELVEDGE-eth0-12 class 10 ceiling 100%",
      "qos policy shaper SELVEDGE-eth0-12 class 10 match dscp-46 ip dscp 46",
      "qos policy shaper SELVEDGE-eth0-12 class 10 priority 0",
      "qos policy shaper SELVEDGE-eth0-12 class 11 bandwidth 20%",
      "qos policy shaper SELVEDGE-eth0-12 class 11 ceiling 100%",
      "qos policy shaper SELVEDGE-eth0-12 class 11 match dscp-10 ip dscp 10",
      "qos interface eth0.12 egress SELVEDGE-eth0-12",
    ],
  ],
  [
    "another cluster by WireGuard, and by IPsec when that is down",
    {
      sites: [
        {
          name: "west",
          interface: "wg10",
          addresses: [prefix("10.255.0.1/30")],
          networks: [prefix("10.70.0.0/16")],
          distance: 10,
          wireguard: {
            privateKey: KEY,
            port: 51_820,
            publicKey: KEY,
            endpoint: { address: address("198.51.100.1"), port: 51_820 },
            keepaliveSeconds: 15,
          },
        },
        {
          name: "west-2",
          interface: "vti11",
          addresses: [prefix("10.255.0.5/30")],
          networks: [prefix("10.70.0.0/16")],
          distance: 20,
          ipsec: { local: address("198.51.100.9"), remote: address("198.51.100.2"), secret: "s3cret" },
        },
      ],
    },
    [
      "interfaces wireguard wg10 address 10.255.0.1/30",
      "interfaces wireguard wg10 private-key '(secret af2a2ea4a1de)'",
      "interfaces wireguard wg10 port 51820",
      `interfaces wireguard wg10 peer west public-key ${KEY}`,
      "interfaces wireguard wg10 peer west address 198.51.100.1",
      "interfaces wireguard wg10 peer west port 51820",
      "interfaces wireguard wg10 peer west persistent-keepalive 15",
      "interfaces wireguard wg10 peer west allowed-ips 10.70.0.0/16",
      "interfaces vti vti11 address 10.255.0.5/30",
      "vpn ipsec authentication psk selvedge-west-2 id 198.51.100.9",
      "vpn ipsec authentication psk selvedge-west-2 id 198.51.100.2",
      "vpn ipsec authentication psk selvedge-west-2 secret '(secret 3040f9a92dbf)'",
      "vpn ipsec site-to-site peer selvedge-west-2 authentication mode pre-shared-secret",
      "vpn ipsec site-to-site peer selvedge-west-2 authentication local-id 198.51.100.9",
      "vpn ipsec site-to-site peer selvedge-west-2 authentication remote-id 198.51.100.2",
      "vpn ipsec site-to-site peer selvedge-west-2 connection-type initiate",
      "vpn ipsec site-to-site peer selvedge-west-2 ike-group SELVEDGE",
      "vpn ipsec site-to-site peer selvedge-west-2 local-address 198.51.100.9",
      "vpn ipsec site-to-site peer selvedge-west-2 remote-address 198.51.100.2",
      "vpn ipsec site-to-site peer selvedge-west-2 vti bind vti11",
      "vpn ipsec site-to-site peer selvedge-west-2 vti esp-group SELVEDGE",
      "vpn ipsec ike-group SELVEDGE key-exchange ikev2",
      "vpn ipsec ike-group SELVEDGE proposal 1 encryption aes256gcm128",
      "vpn ipsec ike-group SELVEDGE proposal 1 hash sha256",
      "vpn ipsec ike-group SELVEDGE proposal 1 dh-group 15",
      "vpn ipsec ike-group SELVEDGE proposal 1 prf prfsha256",
      "vpn ipsec ike-group SELVEDGE dead-peer-detection action restart",
      "vpn ipsec ike-group SELVEDGE dead-peer-detection interval 10",
      "vpn ipsec ike-group SELVEDGE dead-peer-detection timeout 30",
      "vpn ipsec esp-group SELVEDGE proposal 1 encryption aes256gcm128",
      "vpn ipsec esp-group SELVEDGE proposal 1 hash sha256",
      "protocols static route 10.70.0.0/16 interface wg10 distance 10",
      "protocols static route 10.70.0.0/16 interface vti11 distance 20",
    ],
  ],
];

test.each(CASES)("%s", (_name, spec, expected) => expect(lines(spec)).toEqual(expected));
needing({ file: grammarFile("1.4") }).each<Version>(["1.4", "rolling"])(
  "VyOS %s takes every one of them",
  (version) => {
    const { refusal } = grammar(version);
    const paths = CASES.flatMap(([, spec]) => render({ ...ROUTER, ...spec }, VIEW, DIALECTS[version])).flatMap(
      (piece) => piece.paths,
    );
    expect(paths.flatMap((path) => refusal(path, "set") ?? [])).toEqual([]);
  },
);

test("a group of too many pods stays as it is, and the chain that names it needs it", () => {
  const spec = {
    ...ROUTER,
    groups: [{ name: "WEB", of: "pods", pods: { ...CHOSEN, most: 1 } } as const],
    firewall: {
      chain: "SELVEDGE",
      otherwise: "return",
      rules: [{ name: "web", action: "accept", to: { group: "WEB" }, ports: [], log: false }],
    } as const,
  };
  const pieces = render(spec, VIEW, DIALECTS["1.4"]);
  expect(pieces.map(({ at, stays, needs }) => [lineOf(at), stays, needs && lineOf(needs)])).toEqual([
    ["firewall group address-group WEB", "would have 2 entries, and may have 1: it stays as it is", undefined],
    ["firewall group ipv6-address-group WEB-6", undefined, undefined],
    ["firewall ipv4 name SELVEDGE", undefined, "firewall group address-group WEB"],
    ["firewall ipv6 name SELVEDGE-6", undefined, undefined],
  ]);
  expect(pieces[0]?.paths).toEqual([]);
  expect(pieces[2]?.paths.map(lineOf)).toContain(
    "firewall ipv4 name SELVEDGE rule 10 destination group address-group WEB",
  );
});

test("the table has cases", () => expect(CASES.length).toBeGreaterThan(0));

const BALANCER = {
  name: "web",
  address: address("198.51.100.8"),
  port: 80,
  servers: [{ address: address("10.66.0.5"), port: 8_080 }],
};
test.each<[Version, string]>([
  ["1.4", "reverse-proxy"],
  ["rolling", "haproxy"],
])("HAProxy's section of VyOS %s is %s", (version, section) => {
  expect(lines({ loadBalancers: [BALANCER] }, version)).toEqual(
    [
      "backend selvedge-web mode tcp",
      "backend selvedge-web balance least-connection",
      "backend selvedge-web server server-1 address 10.66.0.5",
      "backend selvedge-web server server-1 port 8080",
      "backend selvedge-web server server-1 check",
      "service selvedge-web mode tcp",
      "service selvedge-web port 80",
      "service selvedge-web listen-address 198.51.100.8",
      "service selvedge-web backend selvedge-web",
    ].map((line) => `load-balancing ${section} ${line}`),
  );
});

test("HAProxy before pods: they keep their names when others go; too many change nothing, none end it", () => {
  const balancer = (most: number, app: string) => {
    const pods = { namespace: "shop", labels: { app }, most, port: 8_080 };
    return { ...ROUTER, loadBalancers: [{ name: "web", port: 80, pods }] };
  };
  const top = "load-balancing haproxy";
  const found = render(balancer(4, "web"), VIEW, DIALECTS.rolling);
  expect(
    found
      .flatMap(({ paths }) => paths.map(lineOf))
      .filter((line) => line.endsWith(" address") || / address /.test(line)),
  ).toEqual(
    [
      "pod-10-66-0-6 address 10.66.0.6",
      "pod-10-66-0-5 address 10.66.0.5",
      "pod-10-66-9-1 address 10.66.9.1",
      "pod-fd66--5 address fd66::5",
    ].map((line) => `${top} backend selvedge-web server ${line}`),
  );
  expect(render(balancer(3, "web"), VIEW, DIALECTS.rolling)).toMatchObject([
    { paths: [], stays: "would have 4 entries, and may have 3: it stays as it is" },
    { needs: ["load-balancing", "haproxy", "backend", "selvedge-web"] },
  ]);
  expect(
    render(balancer(4, "none"), VIEW, DIALECTS.rolling).map(({ paths, followsPods }) => [paths, followsPods]),
  ).toEqual([
    [[], true],
    [[], undefined],
  ]);
});

test("no piece lies in another", () => {
  for (const [, spec] of CASES) {
    const pieces = render({ ...ROUTER, ...spec }, VIEW, DIALECTS["1.4"]);
    expect(overlapping(pieces)).toBeUndefined();
    for (const { at, paths } of pieces) for (const path of paths) expect(path.slice(0, at.length)).toEqual(at);
  }
});
