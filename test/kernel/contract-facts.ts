/** What attachments look like to the kernel, for the contract suite: the shapes that lib/attach and lib/datapath make. */
import { type Address, address, hostPrefix, type Mac, mac, type Prefix, prefix } from "#lib/address.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import type { TreeClass, TreeFact } from "#lib/state/traffic-fact.ts";

const GATEWAY_MAC = mac("ee:ee:ee:ee:ee:ee");
const GATEWAY = { 4: address("169.254.1.1"), 6: address("fe80::1") } as const;
export const BRIDGE = "selvedge0";

export interface Pod {
  readonly number: number;
  readonly host: string;
  readonly ifb: string;
  readonly alias: string;
  readonly mac: Mac;
}

export const pod = (number: number): Pod => ({
  number,
  host: `sv00000000${number}`,
  ifb: `sb00000000${number}`,
  alias: `selvedge container-${number} eth0`,
  mac: mac(`02:00:00:00:00:0${number}`),
});

/** What all pods on the bridge share. */
export const bridge: readonly Fact[] = [
  {
    type: "link",
    at: "host",
    name: BRIDGE,
    kind: "bridge",
    up: true,
    mtu: 1500,
    mac: mac("02:00:00:00:0b:01"),
    alias: `selvedge ${BRIDGE}`,
  },
  { type: "address", at: "host", link: BRIDGE, address: prefix("10.2.0.1/24") },
];

/** A routed pair, the default type; without `address6` IPv4 only. */
export function routed(
  of: Pod,
  {
    mtu = 1450,
    address4 = address(`10.1.0.${of.number}`),
    address6,
  }: { mtu?: number; address4?: Address; address6?: Address } = {},
): Fact[] {
  const both = address6 === undefined ? [address4] : [address4, address6];
  const gateways = address6 === undefined ? [GATEWAY[4]] : [GATEWAY[4], GATEWAY[6]];
  return [
    ...pair(of, mtu, { mac: GATEWAY_MAC, noIpv6LinkLocal: true }),
    ...both.map((a): Fact => ({ ...inPod, type: "address", address: hostPrefix(a), noPrefixRoute: true })),
    ...gateways.map((a): Fact => ({ ...inPod, type: "route", to: hostPrefix(a) })),
    ...gateways.map((via): Fact => ({ ...inPod, type: "route", to: anyOf(via), via })),
    ...gateways.map((a): Fact => ({ ...inPod, type: "neighbour", address: a, mac: GATEWAY_MAC })),
    ...both.map((a): Fact => ({ type: "route", at: "host", to: hostPrefix(a), link: of.host })),
    ...both.map((a): Fact => ({ type: "neighbour", at: "host", link: of.host, address: a, mac: of.mac })),
    element("inet", "guarded", [of.host]),
    ...both.map((a) => element("inet", a.includes(":") ? "allowed6" : "allowed4", [of.host, of.mac, a])),
    ...both.map((a) => element("inet", a.includes(":") ? "masq6" : "masq4", [a])),
  ];
}

/** What goes to addresses of these networks that nothing else leads to is refused. */
export const nobody: readonly Fact[] = ["10.1.0.0/16", "fd00::/64"].map((to) => ({
  type: "route",
  at: "host",
  to: prefix(to),
  link: "lo",
  metric: 999_999,
  unreachable: true,
}));

/** A port of the bridge. */
export function bridged(of: Pod, { hairpin = false }: { hairpin?: boolean } = {}): Fact[] {
  const own = `10.2.0.${of.number + 10}`;
  return [
    ...pair(of, 1500, { master: BRIDGE, hairpin, noIpv6LinkLocal: true }),
    { ...inPod, type: "address", address: prefix(`${own}/24`) },
    { ...inPod, type: "route", to: prefix("0.0.0.0/0"), via: address("10.2.0.1") },
    element("bridge", "guarded", [of.host]),
    element("bridge", "allowed_mac", [of.host, of.mac]),
    element("bridge", "allowed4", [of.host, of.mac, own]),
    element("inet", "masq4", [own]),
  ];
}

/** Two pairs to one pod: the second with a routing table of its own for what is sent from its address. */
export function planes(of: Pod): Fact[] {
  const second: Pod = { ...of, host: of.host.replace("sv", "sc"), mac: mac(`02:00:00:00:01:0${of.number}`) };
  const own = address(`10.3.0.${of.number}`);
  const renamed = routed(second, { address4: own }).map((fact): Fact => {
    if (fact.at !== "pod" || fact.type === "sysctl") return fact;
    if (fact.type === "link" && fact.name === "eth0") return { ...fact, name: "control" };
    if ("link" in fact) return { ...fact, link: "control" } as Fact;
    return fact;
  });
  const joined = renamed.map(
    (fact): Fact =>
      fact.type === "link" && fact.peer?.name === "eth0" ? { ...fact, peer: { at: "pod", name: "control" } } : fact,
  );
  const isOnPod = (fact: Fact) => fact.type === "route" && fact.at === "pod";
  return [
    ...routed(of),
    ...joined.filter((fact) => !isOnPod(fact) && !(fact.type === "link" && fact.name === "lo")),
    ...joined.filter(isOnPod).map((fact) => ({ ...fact, table: 101 }) as Fact),
    { type: "rule", at: "pod", family: 4, priority: 5301, table: 101, from: hostPrefix(own) },
  ];
}

export const hostPorts = (of: Pod, to: string, port: number): Fact[] => [
  element("inet", "ports4", ["tcp", String(port)], [to, "80"]),
  element("inet", "ports4_ip", ["192.0.2.1", "udp", String(port)], [to, "53"]),
  element("inet", "localnet", [of.host]),
];

/** Both directions; what the pod sends is shaped on a link of its own. */
export const bandwidth = (of: Pod, rateBits: number): Fact[] => [
  { type: "shaper", at: "host", link: of.host, rateBits, burstBytes: 64_000, latencyUs: 25_000 },
  { type: "link", at: "host", name: of.ifb, kind: "ifb", up: true, mtu: 1450, alias: of.alias, noIpv6LinkLocal: true },
  { type: "redirect", at: "host", link: of.host, to: of.ifb },
  { type: "shaper", at: "host", link: of.ifb, rateBits, burstBytes: 64_000, latencyUs: 25_000 },
];

const tree = (link: string, field: TreeClass["match"]["field"], rateBits: number, macs: readonly Mac[]): TreeFact => ({
  type: "tree",
  at: "host",
  link,
  rateBits,
  burstBytes: 64_000,
  latencyUs: 25_000,
  classes: macs.map((own, i) => ({
    id: 16 + i,
    match: { field, mac: own },
    rateBits: rateBits / macs.length,
    ceilBits: i === 0 ? rateBits : rateBits / 2,
    burstBytes: 32_768,
    order: 7 - i,
  })),
});

/** Both directions held to one rate together with a second interface. */
export const totals = (of: Pod, rateBits: number): Fact[] => {
  const macs = [of.mac, mac("02:00:00:00:77:77")];
  const device = { type: "link", at: "host", kind: "ifb", up: true, mtu: 1450, alias: of.alias } as const;
  const into = of.ifb.replace("sb", "si");
  return [
    { ...device, name: of.ifb, noIpv6LinkLocal: true },
    { ...device, name: into, noIpv6LinkLocal: true },
    tree(of.ifb, "source", rateBits, macs),
    tree(into, "destination", rateBits, macs),
    { type: "redirect", at: "host", link: of.host, to: of.ifb },
    { type: "redirect", at: "host", link: of.host, to: into, hook: "egress" },
  ];
};

/** Copies of web traffic to one link, and of everything that the pod sends to another. */
export const mirrors = (of: Pod): Fact[] => [
  { type: "link", at: "host", name: of.ifb, kind: "ifb", up: true, mtu: 1450, alias: of.alias, noIpv6LinkLocal: true },
  {
    type: "mirror",
    at: "host",
    link: of.host,
    hook: "egress",
    slot: 3,
    to: of.ifb,
    matches: [
      {
        protocol: "ip",
        words: [
          { offset: 8, mask: 0x00ff0000, value: 0x00060000 },
          { offset: 20, mask: 0x0000ffff, value: 80 },
        ],
      },
      { protocol: "ipv6", words: [{ offset: 4, mask: 0x0000ff00, value: 0x00000600 }] },
    ],
  },
  {
    type: "mirror",
    at: "host",
    link: of.host,
    hook: "ingress",
    slot: 0,
    to: of.ifb,
    matches: [{ protocol: "all", words: [] }],
  },
];

const inPod = { at: "pod", link: "eth0" } as const;

const anyOf = (of: Address): Prefix => prefix(of.includes(":") ? "::/0" : "0.0.0.0/0");

type HostEnd = {
  readonly mac?: Mac;
  readonly noIpv6LinkLocal?: boolean;
  readonly master?: string;
  readonly hairpin?: boolean;
};

function pair(of: Pod, mtu: number, hostEnd: HostEnd): Fact[] {
  const end = (at: Place, name: string) => ({ type: "link", at, name, kind: "veth", up: true, mtu }) as const;
  return [
    { ...end("host", of.host), alias: of.alias, peer: { at: "pod", name: "eth0" }, ...hostEnd },
    { ...end("pod", "eth0"), mac: of.mac, peer: { at: "host", name: of.host } },
    { type: "link", at: "pod", name: "lo", kind: "loopback", up: true },
  ];
}

export function element(
  family: ElementFact["family"],
  set: string,
  key: readonly string[],
  value?: readonly string[],
): ElementFact {
  const at = { type: "element", at: "host", family, table: "selvedge", set, key } as const;
  return value === undefined ? at : { ...at, value };
}
