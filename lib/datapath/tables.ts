/**
 * The text of our nftables tables: the declarations of all sets, and rules whose number and cost do not depend on how many
 * pods there are. Applied in one transaction it makes the tables or replaces their rules; elements stay.
 * Everything is in two tables of our own, and nobody else's table is touched.
 *
 * `bridge-nf-call-iptables` is left as it is: the kernel joins the setting of a bridge with the one of the namespace by
 * "or" (net/bridge/br_netfilter_hooks.c, br_nf_pre_routing), so a bridge cannot be taken out alone, and turning
 * it off for all would break others, such as kube-proxy. The rules are right with either.
 */
import { type Family, family, type Prefix } from "#lib/address.ts";
import type { TableFact } from "#lib/state/fact.ts";
import { type PartType, SETS, type SetShape } from "#lib/state/sets.ts";
import { type Chain, FORWARDED, RAW } from "./chain.ts";
import { disjoint } from "./disjoint.ts";
import { MARKED, markingChains } from "./marking.ts";

export interface Node {
  /** Destinations that see pods under their own address: the pods' subnets of all nodes, and what users add. */
  readonly noMasquerade: readonly Prefix[];
  /** What tenants and other nodes need besides. */
  readonly chains?: readonly Chain[];
  /** Rules that come before all others where packets leave. */
  readonly leaving?: readonly string[];
  /** Something on the node has a code point or a priority. Otherwise no packet pays for looking that up. */
  readonly isMarking?: boolean;
}

/** Both tables; a pure function of the node's configuration and of what is attached. */
export function tables(node: Node): TableFact[] {
  const { chains = [], isMarking = false } = node;
  const called = [...(isMarking ? INET_MARKING : []), ...chains];
  return [
    render("inet", [...INET_GUARD, ...PORTS, postrouting(node), ...called, ...callers(called)]),
    render("bridge", [...BRIDGE_GUARD, ...(isMarking ? BRIDGE_MARKING : [])]),
  ];
}

/**
 * Before conntrack (priority raw is -300): what is not the sender's own is dropped before it can make an entry.
 * A link with route_localnet would let in packets to and from 127.0.0.0/8, which RFC 1122 3.2.1.3 forbids.
 */
const RAW_HOOK = "type filter hook prerouting priority -310";
/** Forwarding sets a priority of its own from the code point (net/ipv4/ip_forward.c): ours comes after it. */
const FORWARDED_HOOK = "type filter hook forward priority -150";

function callers(chains: readonly Chain[]): Chain[] {
  const rulesOf = (by: string): string[] =>
    chains.flatMap(({ name, called }) => (called?.by === by ? [`${called.when} jump ${name}`] : []));
  const forwarded = rulesOf(FORWARDED);
  return [
    { name: RAW, hook: RAW_HOOK, rules: [...INET_RAW, ...rulesOf(RAW)] },
    ...(forwarded.length === 0 ? [] : [{ name: FORWARDED, hook: FORWARDED_HOOK, rules: forwarded }]),
  ];
}

/** IPv6 link-local sources are allowed for neighbour discovery from the own MAC only; a pod is no router. */
const INET_GUARD: readonly Chain[] = [
  {
    name: "guard",
    rules: [
      "iifname . ether saddr . ip saddr @allowed4 return",
      "iifname . ether saddr . ip6 saddr @allowed6 return",
      "ip6 saddr { ::, fe80::/10 } icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } iifname . ether saddr @allowed_mac return",
      "counter drop",
    ],
  },
];

const INET_RAW: readonly string[] = [
  "ip daddr 127.0.0.0/8 iifname @localnet counter drop",
  "ip saddr 127.0.0.0/8 iifname @localnet counter drop",
  "iifname @guarded jump guard",
];

/**
 * Host ports. A port on one address comes before the same port on all; without an entry the packet goes on unchanged.
 * ::1 is left alone: there is no route_localnet for IPv6 and an answer could not come back (net/ipv6/route.c,
 * rt6_need_strict), so a client that tries both families is refused at once and goes on to 127.0.0.1.
 */
const PORTS: readonly Chain[] = [
  {
    name: "ports",
    rules: [
      "dnat ip to ip daddr . meta l4proto . th dport map @ports4_ip",
      "dnat ip to meta l4proto . th dport map @ports4",
      "ip6 daddr ::1 return",
      "dnat ip6 to ip6 daddr . meta l4proto . th dport map @ports6_ip",
      "dnat ip6 to meta l4proto . th dport map @ports6",
    ],
  },
  ...["prerouting", "output"].map((hook) => ({
    name: hook,
    hook: `type nat hook ${hook} priority -100`,
    rules: ["meta l4proto { tcp, udp, sctp } fib daddr type local jump ports"],
  })),
];

/** Never left under another address: IPv4 and IPv6 multicast and link-local (RFC 5771, RFC 3927, RFC 4291). */
export const NEVER_MASQUERADED = ["224.0.0.0/4", "169.254.0.0/16", "ff00::/8", "fe80::/10"] as Prefix[];

/**
 * Translated connections are masqueraded where the answer would otherwise not come back through the node: from a pod to
 * itself or to a neighbour on its bridge, and from the node's loopback address. The link by which a packet came in is not
 * asked for: br_netfilter does not tell it.
 */
function postrouting({ noMasquerade, leaving = [] }: Node): Chain {
  const kept = disjoint([...noMasquerade, ...NEVER_MASQUERADED]);
  const of = (f: Family) => `{ ${kept.filter((p) => family(p) === f).join(", ")} }`;
  return {
    name: "postrouting",
    hook: "type nat hook postrouting priority 100",
    rules: [
      ...leaving,
      "ct status dnat oifname . ip saddr @hairpin4 masquerade",
      "ct status dnat oifname . ip6 saddr @hairpin6 masquerade",
      "ct status dnat ip saddr 127.0.0.0/8 oifname @localnet masquerade",
      // Sets without a name cannot be changed behind our back, and go when the rule is replaced.
      `ip saddr @masq4 ip daddr != ${of(4)} masquerade`,
      `ip6 saddr @masq6 ip6 daddr != ${of(6)} masquerade`,
    ],
  };
}

/**
 * Ports of bridges, where the frame itself is looked at: MAC, ARP's sender, and IP source must be the attachment's own.
 * The rest is what an address needs before it may be used: DHCP (RFC 2131 4.1), ARP probes (RFC 5227 2.1.1), neighbour
 * discovery. Router advertisements and redirects are no pod's business (RFC 6105). Other protocols would carry what cannot
 * be checked, and are dropped, and so are VLAN tags, but for those of a trunk: which addresses the pod has in those VLANs
 * nobody has told. A tag of the port's own VLAN is none of them, so that no tag gets around the filter.
 */
const BRIDGE_GUARD: readonly Chain[] = [
  {
    name: "guard",
    rules: [
      "iifname . ether saddr != @allowed_mac counter drop",
      "iifname . vlan id @allowed_vlan return",
      "ether type != { arp, ip, ip6 } counter drop",
      "icmpv6 type { nd-router-advert, nd-redirect } counter drop",
      "iifname . ether saddr . ip saddr @allowed4 return",
      "iifname . ether saddr . ip6 saddr @allowed6 return",
      "iifname . arp saddr ether . arp saddr ip @allowed4 return",
      "arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether @allowed_mac return",
      "ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 return",
      "ip6 saddr { ::, fe80::/10 } icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld2-listener-report } return",
      "counter drop",
    ],
  },
  {
    name: "prerouting",
    hook: "type filter hook prerouting priority -300",
    rules: ["iifname @guarded jump guard"],
  },
];

const INET_MARKING: readonly Chain[] = markingChains({ by: FORWARDED, when: MARKED });
const BRIDGE_MARKING: readonly Chain[] = [
  ...markingChains(),
  { name: "marking", hook: "type filter hook prerouting priority -290", rules: [`${MARKED} jump remark`] },
];

function render(of: "inet" | "bridge", chains: readonly Chain[]): TableFact {
  const name = "selvedge";
  const table = `${of} ${name}`;
  const declared: readonly SetShape[] = SETS;
  const text = [
    `add table ${table}`,
    ...declared.filter((s) => s.family === of && s.table === name).map((s) => declaration(table, s)),
    ...chains.flatMap((c) => (c.sets ?? []).map((set) => `add set ${table} ${set}`)),
    ...chains.flatMap(({ flowtable }) => (flowtable === undefined ? [] : [`add flowtable ${table} ${flowtable}`])),
    ...chains.flatMap((c) => [`add chain ${table} ${c.name}${c.hook ? ` { ${c.hook}; policy accept; }` : ""}`]),
    ...chains.map((c) => `flush chain ${table} ${c.name}`),
    ...chains.flatMap((c) => c.rules.map((rule) => `add rule ${table} ${c.name} ${rule}`)),
  ];
  return { type: "table", at: "host", family: of, name, text: `${text.join("\n")}\n` };
}

function declaration(table: string, { name, key, value }: SetShape): string {
  if (key.includes("vlan_id")) return `add set ${table} ${name} { typeof ${key.map(expression).join(" . ")}; }`;
  const type = value === undefined ? key.join(" . ") : `${key.join(" . ")} : ${value.join(" . ")}`;
  return `add ${value === undefined ? "set" : "map"} ${table} ${name} { type ${type}; }`;
}

const expression = (type: PartType): string => (type === "vlan_id" ? "vlan id" : type === "ifname" ? "iifname" : type);
