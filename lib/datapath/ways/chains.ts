/**
 * What the firewall has to do for the ways: nobody but the other nodes puts packets into our tunnels, no pod does so
 * through its node, and TCP learns of the smaller packets at once.
 */
import { type Chain, FORWARDED, RAW } from "../chain.ts";
import type { Here } from "./ends.ts";
import { vxlanLink, WIREGUARD_LINK } from "./names.ts";
import { offloadChains } from "./offload.ts";

/**
 * GRE and WireGuard know their peers by themselves. Outer packets of VXLAN are known by port and VNI (`outerPackets`); a
 * pod that would send either to another node would be taken for its own node where it is masqueraded.
 */
export function wayChains({
  vxlan: { vni, port },
  encrypt,
  flowOffload,
}: Pick<Here, "vxlan" | "encrypt" | "flowOffload">): Chain[] {
  const ours = outerPackets(port, `${vni}`);
  return [
    {
      name: "ways_tunnels",
      called: { by: RAW, when: ours },
      // A connection for each source port would be kept of the outer packets, looked up and translated to nothing.
      rules: [...(encrypt ? [] : FROM_NODES), ...betweenNodes(encrypt), "notrack"],
    },
    {
      name: "ways_gre",
      called: { by: RAW, when: "meta l4proto gre" },
      rules: [
        "ip daddr @nodes4 ip saddr != @nodes4 counter drop",
        "ip6 daddr @nodes6 ip6 saddr != @nodes6 counter drop",
      ],
    },
    ...(flowOffload ? offloadChains : []),
    { name: "ways_out", hook: "type filter hook output priority -305", rules: [`${ours} notrack`] },
    {
      name: "ways_syn",
      called: { by: FORWARDED, when: "tcp flags & (syn | rst) == syn" },
      rules: [`{ "${vxlanLink(4)}", "${vxlanLink(6)}", "${WIREGUARD_LINK}" }`, '"sg*"'].map(
        (links) => `oifname ${links} tcp option maxseg size set rt mtu`,
      ),
    },
  ];
}

/**
 * What calls a chain for outer packets of VXLAN alone, so that every other packet pays for one rule that fails at its
 * protocol or port. RFC 7348 section 5: the VNI is 12 bytes behind the UDP header's begin.
 * @param vni a number, or a set of them as nft has it
 */
export const outerPackets = (port: number, vni: string): string => `udp dport ${port} @th,96,24 ${vni}`;

/** What another node sends to this one is looked at once: none of the other rules would drop it. */
const FROM_NODES: readonly string[] = [
  "ip saddr @nodes4 ip daddr != @nodes4 notrack return",
  "ip6 saddr @nodes6 ip6 daddr != @nodes6 notrack return",
];

/**
 * Of outer packets: nobody but the other nodes puts any into our tunnels, and no pod sends one to a node. A tunnel hears what
 * is sent to all hosts and to everybody on a link, too (net/ipv4/udp.c, __udp4_lib_mcast_deliver, v6.12).
 */
export const betweenNodes = (encrypted: boolean): string[] => [
  ...(encrypted
    ? [`fib daddr type != unicast iifname != "${WIREGUARD_LINK}" counter drop`]
    : [
        "ip saddr != @nodes4 fib daddr type != unicast counter drop",
        "ip6 saddr != @nodes6 fib daddr type != unicast counter drop",
      ]),
  "ip daddr @nodes4 ip saddr != @nodes4 counter drop",
  "ip6 daddr @nodes6 ip6 saddr != @nodes6 counter drop",
];
