/** States of links without another end, of VLANs of ports and of forwarding entries, for the contract suite. */
import { type Address, address, type Mac, mac, prefix } from "#lib/address.ts";
import type { Meddling } from "#lib/kernel/meddling.ts";
import { ANY_IPV6, EVERYONE_ELSE, type Fact, type LinkFact, type PortVlanFact } from "#lib/state/fact.ts";
import type { KernelPiece } from "../support/kernel-piece.ts";
import { PUBLIC_KEYS } from "../support/keys.ts";

/** Links of the host that are not ours. */
export const PARENTS = ["up0", "up1"] as const;
const POD_MAC = mac("02:00:00:00:00:51");

export const carried = (kind: LinkFact["kind"], more: Partial<LinkFact>): Fact[] => [
  {
    type: "link",
    at: "pod",
    name: "eth0",
    kind,
    up: true,
    mtu: 1400,
    parent: { at: "host", name: "up0" },
    ...(kind === "ipvlan" || more.mode === "passthru" ? {} : { mac: POD_MAC }),
    ...more,
  },
  { type: "address", at: "pod", link: "eth0", address: prefix("10.5.0.2/24") },
  { type: "route", at: "pod", to: prefix("0.0.0.0/0"), link: "eth0", via: address("10.5.0.1") },
];

/** The node's own way to the pods on a parent. */
const shim: Fact[] = [
  {
    type: "link",
    at: "host",
    name: "ss0",
    kind: "macvlan",
    up: true,
    alias: "selvedge shim up0",
    parent: { at: "host", name: "up0" },
    mode: "bridge",
  },
  { type: "route", at: "host", to: prefix("10.5.0.2/32"), link: "ss0" },
];

const outer = (id: number): Fact => ({
  type: "link",
  at: "host",
  name: "so0",
  kind: "vlan",
  up: true,
  alias: "selvedge outer",
  parent: { at: "host", name: "up0" },
  vlan: { id, protocol: "802.1ad" },
});

const tap = (more: Partial<LinkFact>): Fact[] => [
  { type: "link", at: "pod", name: "tap0", kind: "tap", up: true, mtu: 1400, mac: POD_MAC, ...more },
];

const vxlan = (id: number, to: readonly string[], parent?: string): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "sx0",
    kind: "vxlan",
    up: true,
    alias: "selvedge vxlan",
    vxlan: { id, port: 4790, local: address("192.0.2.1") },
    ...(parent === undefined ? {} : { parent: { at: "host", name: parent } }),
  },
  ...to.map((each): Fact => ({ type: "forward", at: "host", link: "sx0", mac: EVERYONE_ELSE, to: address(each) })),
  { type: "forward", at: "host", link: "sx0", mac: POD_MAC, to: address("192.0.2.9") },
];

const learning = (local: Address, to: string): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "sx0",
    kind: "vxlan",
    up: true,
    alias: "selvedge vxlan",
    vxlan: { id: 74, port: 4790, local, learning: true },
  },
  { type: "forward", at: "host", link: "sx0", mac: EVERYONE_ELSE, to: address(to) },
];

const inPod = (to: string): Fact[] => [
  {
    type: "link",
    at: "pod",
    underlay: "host",
    name: "sx2",
    kind: "vxlan",
    up: true,
    vxlan: { id: 75, port: 4790, local: address("192.0.2.1") },
  },
  { type: "forward", at: "pod", link: "sx2", mac: POD_MAC, to: address(to) },
];

/** A segment that a tunnel joins with others: the end of the tunnel is a port of its bridge. */
const segment = (bridge: string, ...macs: readonly Mac[]): Fact[] => [
  ...["sy0", "sy1"].map(
    (name): Fact => ({
      type: "link",
      at: "host",
      name,
      kind: "bridge",
      up: true,
      mac: "0a:00:00:00:00:01" as Mac,
      alias: `selvedge ${name}`,
      noIpv6LinkLocal: true,
    }),
  ),
  {
    type: "link",
    at: "host",
    name: "sx1",
    kind: "vxlan",
    up: true,
    alias: "selvedge segment",
    vxlan: { id: 73, port: 4791, local: address("192.0.2.1") },
    master: bridge,
    quiet: true,
    noIpv6LinkLocal: true,
  },
  ...macs.flatMap((mac, i): Fact[] => [
    { type: "forward", at: "host", link: "sx1", mac, to: address("192.0.2.9") },
    { type: "port-mac", at: "host", link: "sx1", mac },
    { type: "neighbour", at: "host", link: bridge, address: address(`10.7.0.${i + 1}`), mac },
    { type: "neighbour", at: "host", link: bridge, address: address(`fd00::${i + 1}`), mac },
  ]),
];

export const FILTERING: Fact = {
  type: "link",
  at: "host",
  name: "sf0",
  kind: "bridge",
  up: true,
  alias: "selvedge sf0",
  vlanFiltering: true,
};
const vlanOf = (link: string, vid: number, isUntagged: boolean): PortVlanFact => ({
  type: "port-vlan",
  at: "host",
  link,
  vid,
  pvid: isUntagged,
  untagged: isUntagged,
});
const port = (master: string, ...vlans: readonly [vid: number, isUntagged: boolean][]): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "sv0",
    kind: "veth",
    up: true,
    alias: "selvedge c1 eth0",
    peer: { at: "pod", name: "eth0" },
    master,
  },
  { type: "link", at: "pod", name: "eth0", kind: "veth", up: true, peer: { at: "host", name: "sv0" } },
  ...vlans.map(([vid, isUntagged]) => vlanOf("sv0", vid, isUntagged)),
];

const gre = (kind: "gre" | "ip6gre", remote: string, local: string, key: number): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "sg0",
    kind,
    up: true,
    mtu: 1400,
    alias: "selvedge way n2",
    gre: { remote: address(remote), local: address(local), key },
    noIpv6LinkLocal: true,
  },
  { type: "route", at: "host", to: prefix("10.6.0.0/26"), link: "sg0", mtu: 1400 },
];

const wireguard = (publicKey: string, port: number, ...peers: readonly [key: string, allowed: string[]][]): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "swg0",
    kind: "wireguard",
    up: true,
    mtu: 1420,
    alias: "selvedge way wireguard",
    wireguard: { publicKey, port },
    noIpv6LinkLocal: true,
  },
  ...peers.map(
    ([key, allowed]): Fact => ({
      type: "wireguard-peer",
      at: "host",
      link: "swg0",
      publicKey: key,
      endpoint: { address: address("192.0.2.9"), port: 51_830 },
      allowed: allowed.map((each) => prefix(each)),
    }),
  ),
];
const [KEY_1, KEY_2, KEY_3, KEY_4] = PUBLIC_KEYS;

export interface Group {
  readonly needs: readonly KernelPiece[];
  readonly states: Readonly<Record<string, readonly Fact[]>>;
  /** What somebody does to a state, and what the repair has to say among other things. */
  readonly meddlings: readonly [state: string, at: "host" | "pod", change: Meddling, expected: string][];
}

export const GROUPS = {
  macvlan: {
    needs: [],
    states: {
      bridge: carried("macvlan", { mode: "bridge" }),
      "bridge, with a shim": [...shim, ...carried("macvlan", { mode: "bridge" })],
      vepa: carried("macvlan", { mode: "vepa" }),
      "private, on another parent": carried("macvlan", { mode: "private", parent: { at: "host", name: "up1" } }),
      passthru: carried("macvlan", { mode: "passthru", parent: { at: "host", name: "up1" } }),
    },
    meddlings: [
      ["bridge", "pod", { do: "delete-link", link: "eth0" }, "+ link eth0 [pod] macvlan up parent up0 mode bridge"],
      [
        "bridge",
        "pod",
        { do: "set-mode", link: "eth0", kind: "macvlan", mode: "private" },
        "~ link eth0 [pod] macvlan",
      ],
      ["bridge", "pod", { do: "set-link", link: "eth0", mtu: 1300 }, "~ link eth0 [pod] macvlan"],
      [
        "bridge",
        "pod",
        { do: "delete-route", link: "eth0", to: prefix("0.0.0.0/0") },
        "+ route 0.0.0.0/0 via 10.5.0.1",
      ],
      ["bridge, with a shim", "host", { do: "delete-link", link: "ss0" }, "+ link ss0 macvlan"],
    ],
  },
  ipvlan: {
    needs: ["ipvlan"],
    states: {
      l2: carried("ipvlan", { mode: "l2" }),
      l3: carried("ipvlan", { mode: "l3" }),
      "l3s, on another parent": carried("ipvlan", { mode: "l3s", parent: { at: "host", name: "up1" } }),
    },
    meddlings: [
      ["l2", "pod", { do: "delete-link", link: "eth0" }, "+ link eth0 [pod] ipvlan up parent up0 mode l2"],
      ["l2", "pod", { do: "set-mode", link: "eth0", kind: "ipvlan", mode: "l3" }, "~ link eth0 [pod] ipvlan"],
    ],
  },
  vlan: {
    needs: ["vlan"],
    states: {
      "802.1Q": carried("vlan", { vlan: { id: 100, protocol: "802.1Q" } }),
      "802.1Q, another id": carried("vlan", { vlan: { id: 200, protocol: "802.1Q" } }),
      "802.1ad": carried("vlan", { vlan: { id: 100, protocol: "802.1ad" } }),
      "a tag within a tag": [
        outer(300),
        ...carried("vlan", { vlan: { id: 100, protocol: "802.1Q" }, parent: { at: "host", name: "so0" } }),
      ],
      "a tag within another tag": [
        outer(301),
        ...carried("vlan", { vlan: { id: 100, protocol: "802.1Q" }, parent: { at: "host", name: "so0" } }),
      ],
    },
    meddlings: [
      ["802.1Q", "pod", { do: "delete-link", link: "eth0" }, "+ link eth0 [pod] vlan up parent up0 id 100"],
      ["a tag within a tag", "host", { do: "delete-link", link: "so0" }, "+ link so0 vlan up parent up0 id 300"],
    ],
  },
  tap: {
    needs: [],
    states: {
      plain: tap({}),
      "for one user": tap({ tap: { owner: 107, group: 108 } }),
      "for another user, with many queues": tap({ tap: { owner: 109, multiQueue: true } }),
      "in a bridge of the pod": [
        { type: "link", at: "pod", name: "br0", kind: "bridge", up: true },
        ...tap({ master: "br0" }),
      ],
    },
    meddlings: [
      ["for one user", "pod", { do: "delete-link", link: "tap0" }, "+ link tap0 [pod] tap"],
      ["for one user", "pod", { do: "set-link", link: "tap0", up: false }, "~ link tap0 [pod] tap up"],
    ],
  },
  segment: {
    needs: [],
    states: {
      alone: segment("sy0"),
      "one behind": segment("sy0", POD_MAC),
      "two behind": segment("sy0", POD_MAC, "02:00:00:00:00:09" as Mac),
      "another bridge": segment("sy1", POD_MAC),
    },
    meddlings: [
      ["one behind", "host", { do: "delete-port-mac", link: "sx1", mac: POD_MAC }, `+ fdb ${POD_MAC} dev sx1 master`],
      ["two behind", "host", { do: "delete-link", link: "sx1" }, "+ link sx1 vxlan"],
    ],
  },
  vxlan: {
    needs: [],
    states: {
      "one peer": vxlan(70, ["192.0.2.2"]),
      "two peers": vxlan(70, ["192.0.2.2", "192.0.2.3"]),
      "another id, by a parent": vxlan(71, ["192.0.2.3"], "up0"),
      "one that learns": learning(address("192.0.2.1"), "192.0.2.2"),
      "one over IPv6": learning(ANY_IPV6, "fd00::2"),
      "one in the pod, whose outer packets are the host's": inPod("192.0.2.2"),
    },
    meddlings: [
      [
        "two peers",
        "host",
        { do: "delete-forward", link: "sx0", mac: EVERYONE_ELSE, to: address("192.0.2.3") },
        "+ fdb 00:00:00:00:00:00 dev sx0 dst 192.0.2.3",
      ],
      ["two peers", "host", { do: "delete-link", link: "sx0" }, "+ link sx0 vxlan"],
    ],
  },
  gre: {
    needs: ["gre"],
    states: {
      "one peer": gre("gre", "192.0.2.2", "192.0.2.1", 7),
      "another peer": gre("gre", "192.0.2.3", "192.0.2.1", 7),
      "another key": gre("gre", "192.0.2.2", "192.0.2.1", 8),
    },
    meddlings: [
      ["one peer", "host", { do: "delete-link", link: "sg0" }, "+ link sg0 gre up remote 192.0.2.2 key 7"],
      ["one peer", "host", { do: "set-link", link: "sg0", mtu: 1300 }, "~ link sg0 gre"],
    ],
  },
  ip6gre: {
    needs: ["ip6gre"],
    states: {
      "one peer": gre("ip6gre", "2001:db8::2", "2001:db8::1", 7),
      "another peer": gre("ip6gre", "2001:db8::3", "2001:db8::1", 7),
      "another key": gre("ip6gre", "2001:db8::2", "2001:db8::1", 8),
    },
    meddlings: [
      ["one peer", "host", { do: "delete-link", link: "sg0" }, "+ link sg0 ip6gre up remote 2001:db8::2 key 7"],
      ["one peer", "host", { do: "delete-route", link: "sg0", to: prefix("10.6.0.0/26") }, "+ route 10.6.0.0/26"],
    ],
  },
  wireguard: {
    needs: ["wireguard"],
    states: {
      "no peer": wireguard(KEY_1, 51_830),
      "one peer": wireguard(KEY_1, 51_830, [KEY_3, ["10.6.0.0/26", "fd00:6::/122"]]),
      "another key and port, and what was one peer's is another's": wireguard(
        KEY_2,
        51_831,
        [KEY_3, []],
        [KEY_4, ["10.6.0.0/26", "fd00:6::/122"]],
      ),
    },
    meddlings: [
      ["one peer", "host", { do: "delete-link", link: "swg0" }, "+ link swg0 wireguard up"],
      ["one peer", "host", { do: "set-link", link: "swg0", up: false }, "~ link swg0 wireguard up"],
    ],
  },
  "VLANs of ports": {
    needs: ["bridge-vlan"],
    states: {
      access: [FILTERING, ...port("sf0", [100, true])],
      "another VLAN": [FILTERING, ...port("sf0", [101, true])],
      trunk: [FILTERING, ...port("sf0", [100, false], [101, false], [102, false], [200, true])],
      "the bridge is on one, too": [FILTERING, vlanOf("sf0", 100, true), ...port("sf0", [100, true])],
      "a bridge that gives its ports VLAN 1": [
        { ...FILTERING, name: "sf1", alias: "selvedge sf1", vlanFiltering: false },
        ...port("sf1", [100, true]),
      ],
    },
    meddlings: [
      ["access", "host", { do: "delete-port-vlan", link: "sv0", vid: 100 }, "+ vlan 100 dev sv0 pvid untagged"],
      ["access", "host", { do: "add-port-vlan", link: "sv0", vid: 666, pvid: false }, "- vlan 666 dev sv0"],
      [
        "access",
        "host",
        { do: "add-port-vlan", link: "sv0", vid: 666, pvid: true },
        "~ vlan 100 dev sv0 pvid untagged",
      ],
    ],
  },
} as const satisfies Readonly<Record<string, Group>>;
