/**
 * The way of a packet through the sets of network policies (lib/policy/elements.ts): the same few rules for every packet,
 * however many pods and policies there are, and for established connections one.
 *
 * nft cannot look one thing up by two others that were looked up themselves, so the packet's priority carries the class
 * of its peer, then the row, from one look-up to the next. What it was before is known: forwarding had set it from the code
 * point (net/ipv4/ip_forward.c, net/ipv4/route.c ip_tos2prio; IPv6 leaves it at 0), and pods' own is set afterwards
 * (`markingChains`).
 */
import { type Family, fromNumber } from "#lib/address.ts";
import type { Chain } from "./chain.ts";

/** What policies say that few of them change: ranges of addresses that are no pod's, and long ranges of ports. */
export interface PolicyRanges {
  readonly outside: readonly {
    readonly family: Family;
    readonly first: bigint;
    readonly last: bigint;
    readonly peers: string;
  }[];
  readonly ports: readonly {
    readonly row: string;
    readonly protocol: string;
    readonly first: number;
    readonly last: number;
  }[];
}

export interface PolicyOptions extends PolicyRanges {
  /** What would be denied is told of and goes on. */
  readonly audit: boolean;
}

/** Before marking (-150), which sets the priority of pods' packets. */
const HOOK = "type filter hook forward priority -160";

/** Flows that began in the last ten minutes: of those that a policy speaks of, what passed and what did not. */
export const FLOW_SETS = { passed: "policy_passed", denied: "policy_denied_flows" } as const;
const ADDRESS = { 4: "ipv4_addr", 6: "ipv6_addr" } as const;
/** What does not fit is not counted. */
const MOST_FLOWS = 16_384;
const declared = (name: string): string[] =>
  ([4, 6] as const).map(
    (f) =>
      `${name}${f} { type ${ADDRESS[f]} . ${ADDRESS[f]} . inet_proto . inet_service; flags dynamic, timeout; timeout 10m; size ${MOST_FLOWS}; }`,
  );
const counting = (name: string): string[] =>
  ([4, 6] as const).map((f) => {
    const ip = f === 4 ? "ip" : "ip6";
    return `meta nfproto ipv${f} meta l4proto { tcp, udp, sctp } update @${name}${f} { ${ip} saddr . ${ip} daddr . meta l4proto . th dport counter }`;
  });

/**
 * Between ports of one bridge the rules see neighbour discovery, too, and conntrack does not track it (nf_conntrack_proto_icmpv6.c).
 * What was routed has a lower hop limit (ip6_output.c, ip6_forward).
 */
const NEIGHBOURS = "ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } goto policy_allowed";

export const policyChains = (options: PolicyOptions): Chain[] => [
  { name: "policy_allowed", rules: RESTORED },
  { name: "policy_seen", sets: declared(FLOW_SETS.passed), rules: counting(FLOW_SETS.passed) },
  {
    name: "policy_denied",
    sets: declared(FLOW_SETS.denied),
    rules: [
      NEIGHBOURS,
      "ip saddr . ip daddr @policy_self4 goto policy_allowed",
      "ip6 saddr . ip6 daddr @policy_self6 goto policy_allowed",
      ...counting(FLOW_SETS.denied),
      ...(options.audit ? ["counter goto policy_allowed"] : ["counter drop"]),
    ],
  },
  {
    name: "policy_exception",
    rules: ["meta priority @policy_denies goto policy_allowed", "goto policy_denied"],
  },
  {
    name: "policy_row",
    rules: [
      "meta priority . meta l4proto . th dport @policy_ports goto policy_exception",
      "meta priority . meta l4proto @policy_protocols goto policy_exception",
      ...longRangeRules(options),
      "meta priority @policy_denies goto policy_denied",
      "goto policy_allowed",
    ],
  },
  ...SIDES.flatMap((side) => sideChains(side, options)),
  {
    name: "policies",
    hook: HOOK,
    rules: [
      "ct state established,related return",
      ...SIDES.map(({ ip, set, own, f }) => `${ip} ${own} @confined_${set}${f} jump policy_${set}${f}`),
      ...SIDES.map(({ ip, set, own, f }) => `${ip} ${own} @confined_${set}${f} goto policy_seen`),
    ],
  },
];

interface Side {
  readonly f: Family;
  readonly ip: "ip" | "ip6";
  readonly set: "in" | "out";
  /** Which of the packet's addresses is the pod's, and which its peer's. */
  readonly own: "saddr" | "daddr";
  readonly peer: "saddr" | "daddr";
}

const SIDES: readonly Side[] = ([4, 6] as const).flatMap((f): Side[] => [
  { f, ip: f === 4 ? "ip" : "ip6", set: "out", own: "saddr", peer: "daddr" },
  { f, ip: f === 4 ? "ip" : "ip6", set: "in", own: "daddr", peer: "saddr" },
]);

/** By the peer's own class, then by what holds for all of its kind. Every confined pod has both of the latter. */
function sideChains({ f, ip, set, own, peer }: Side, { outside }: PolicyRanges): Chain[] {
  const name = `policy_${set}${f}`;
  const row = `meta priority set ${ip} ${own} . meta priority map @${name} goto policy_row`;
  return [
    { name: `${name}_pod`, rules: [row, "meta priority set 0:1", row, "goto policy_denied"] },
    {
      name,
      rules: [
        `meta priority set ${ip} ${peer} map @policy_pods${f} goto ${name}_pod`,
        ...outsideRules(f, ip, peer, outside).flatMap((rules) => [...rules, row]),
        "meta priority set 0:0",
        row,
        "goto policy_denied",
      ],
    },
  ];
}

function outsideRules(f: Family, ip: string, peer: string, outside: PolicyRanges["outside"]): string[][] {
  const of = outside.filter(({ family }) => family === f);
  if (of.length === 0) return [];
  const ranges = of.map(({ first, last, peers }) => {
    const [low, high] = [fromNumber(first, f), fromNumber(last, f)];
    return `${low === high ? low : `${low}-${high}`} : ${peers}`;
  });
  return [["meta priority set 0:0", `meta priority set ${ip} ${peer} map { ${ranges.join(", ")} }`]];
}

function longRangeRules({ ports }: PolicyRanges): string[] {
  const texts = ports.map(({ row, protocol, first, last }) => `${row} . ${protocol} . ${first}-${last}`);
  return texts.length === 0
    ? []
    : [`meta priority . meta l4proto . th dport { ${texts.sort().join(", ")} } goto policy_exception`];
}

/** TC_PRIO_* (linux/pkt_sched.h) by the lower three bits of the code point, in pairs: best effort, bulk, interactive, interactive bulk. */
const PRIORITY_OF_PAIR = [0, 2, 6, 4] as const;

const RESTORED: readonly string[] = [
  `meta priority set ip dscp map { ${Array.from({ length: 64 }, (_, dscp) => `${dscp} : 0:${PRIORITY_OF_PAIR[(dscp & 7) >> 1]}`).join(", ")} } return`,
  "meta priority set 0:0",
];
