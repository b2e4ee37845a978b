/**
 * What the firewall does with packets of pods that leave the cluster by an address of their own. Where they come from is
 * known by the sender's address on the pod's node, and by the tunnel on the holder; both mark the packet, after whatever
 * translates its destination, and before it is routed.
 *
 * Nothing marked ever leaves under another address: by the tunnel it goes unchanged, and otherwise it is translated to
 * the address that is held, or dropped. What has not got an address of this node by then is dropped, too: a connection
 * from before the node held the address (conntrack translates its first packet alone), or one that goes on after the
 * kernel has ended the address.
 */
import { type Address, type Family, family, type Prefix } from "#lib/address.ts";
import { type Chain, RAW } from "../chain.ts";
import { disjoint } from "../disjoint.ts";
import { NEVER_MASQUERADED } from "../tables.ts";
import { betweenNodes, outerPackets } from "../ways/chains.ts";
import { ANSWERS_LEFT, answersMarked } from "./answers.ts";
import { egressLink, MARK_MASK, markOf } from "./names.ts";

export interface EgressPort {
  readonly name: string;
  readonly addresses: readonly Address[];
  readonly vni: number;
}

export interface EgressChains {
  /** In the order of the configuration. */
  readonly ports: readonly EgressPort[];
  /** Destinations within the cluster, besides its nodes. */
  readonly within: readonly Prefix[];
  /** UDP port of the tunnels. */
  readonly port: number;
  /** The tunnels travel in WireGuard. */
  readonly encrypted: boolean;
  /** Senders that mean something on this node alone, and what of this node stands for them on others. */
  readonly local?: { readonly senders: readonly Prefix[]; readonly by: readonly Address[] };
}

const BYTE = `0x${MARK_MASK.toString(16)}`;
/** To be the first of the chain that masquerades. */
const LEAVE = "egress_leave";

/** None where no such address is configured. */
export function egressChains({ ports, within, port, encrypted, local }: EgressChains): Chain[] {
  if (ports.length === 0) return [];
  const tunnels = ports.map(({ name }) => ([4, 6] as const).map((underlay) => `"${egressLink(name, underlay)}"`));
  const all = `{ ${tunnels.flat().join(", ")} }`;
  const marks = `{ ${ports.map((_, i) => markOf(i)).join(", ")} }`;
  const markOfTunnel = tunnels.flatMap((links, i) => links.map((link) => `${link} : ${markOf(i)}`)).join(", ");
  const kept = disjoint([...within, ...NEVER_MASQUERADED]);
  const stays = (of: Family): string => `{ ${kept.filter((each) => family(each) === of).join(", ")} }`;
  const own = (of: Family): string =>
    ports.flatMap(({ addresses }) => addresses.filter((each) => family(each) === of)).join(", ");
  return [
    {
      name: "egress_tunnels",
      called: { by: RAW, when: outerPackets(port, `{ ${ports.map(({ vni }) => vni).join(", ")} }`) },
      rules: betweenNodes(encrypted),
    },
    {
      name: "egress_mark",
      hook: "type filter hook prerouting priority -90",
      rules: [
        `meta mark set iifname map { ${markOfTunnel} }`,
        `ct direction original ip daddr != ${stays(4)} ip daddr != @nodes4 fib daddr type != local meta mark set ip saddr map @egress4`,
        `ct direction original ip6 daddr != ${stays(6)} ip6 daddr != @nodes6 fib daddr type != local meta mark set ip6 saddr map @egress6`,
        ...(encrypted ? answersMarked(ports.flatMap(({ addresses }) => addresses)) : []),
      ],
    },
    {
      name: "egress_forward",
      hook: "type filter hook forward priority -140",
      rules: [
        // Two nodes that each take the other for the holder, for a moment: nothing goes round between them.
        `iifname ${all} oifname ${all} counter reject with icmpx type no-route`,
        `oifname ${all} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`,
      ],
    },
    {
      name: "egress_input",
      hook: "type filter hook input priority -140",
      // Only answers have business there: the holder itself is nobody whom the world outside is to reach by it, and a
      // connection that it does not know of yet is not to be reset.
      rules: ([4, 6] as const).flatMap((of) => {
        const icmp = of === 4 ? "icmp" : "ipv6-icmp";
        return own(of) === "" ? [] : [`${IP[of]} daddr { ${own(of)} } meta l4proto != ${icmp} counter drop`];
      }),
    },
    {
      name: "egress_left",
      hook: "type filter hook postrouting priority 150",
      rules: [
        // The tunnel looks up its own route by the mark of what it carries (net/ipv4/udp_tunnel_core.c, v6.12).
        `oifname ${all} meta mark set meta mark & 0x00ffffff`,
        ...(encrypted ? [ANSWERS_LEFT] : []),
        `meta mark & ${BYTE} ${marks} fib saddr type != local counter drop`,
        ...([4, 6] as const).flatMap((of) =>
          own(of) === ""
            ? []
            : [`meta mark & ${BYTE} ${marks} oifname != ${all} ${IP[of]} saddr != { ${own(of)} } counter drop`],
        ),
      ],
    },
    {
      name: LEAVE,
      rules: [
        ...(local === undefined ? [] : ([4, 6] as const).flatMap((of) => standIn(of, all, local))),
        `oifname ${all} return`,
        `snat ip to meta mark & ${BYTE} map @egress_by4`,
        `snat ip6 to meta mark & ${BYTE} map @egress_by6`,
        "counter drop",
      ],
    },
  ];
}

const IP = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

/** To the holder they carry an address that leads back to this node. */
function standIn(of: Family, links: string, { senders, by }: NonNullable<EgressChains["local"]>): string[] {
  const from = disjoint(senders.filter((each) => family(each) === of)).join(", ");
  const to = by.find((each) => family(each) === of);
  if (from === "") return [];
  const what = `oifname ${links} ${IP[of]} saddr { ${from} }`;
  return [to === undefined ? `${what} counter drop` : `${what} snat ${IP[of]} to ${to}`];
}

/** What comes before everything else that is said of packets on their way out. */
export const egressFirst = (ports: readonly EgressPort[]): string[] =>
  ports.length === 0 ? [] : [`meta mark & ${BYTE} { ${ports.map((_, i) => markOf(i)).join(", ")} } goto ${LEAVE}`];
