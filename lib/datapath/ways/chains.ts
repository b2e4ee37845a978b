/**
 * What the firewall has to do for the ways: nobody but the other nodes puts packets into our tunnels, no pod does so
 * through its node, and TCP learns of the smaller packets at once.
 */
import { type Chain, FORWARDED, RAW } from "../chain.ts";
import type { Here } from "./ends.ts";
import { vxlanLink, WIREGUARD_LINK } from "./names.ts";

/** Nearly everything that nodes get is TCP, and none of the business of chains about tunnels. */
export const NOT_TCP = "meta l4proto != tcp";

/**
 * GRE and WireGuard know their peers by themselves. Outer packets of VXLAN are known by port and VNI (RFC 7348 section 5: 12
 * bytes behind the UDP header's begin); a pod that would send either to another node would be taken for its own node where
 * it is masqueraded.
 */
export function wayChains({ vxlan: { vni, port }, encrypt }: Pick<Here, "vxlan" | "encrypt">): Chain[] {
  const ours = `udp dport ${port} @th,96,24 ${vni}`;
  return [
    {
      name: "ways_tunnels",
      called: { by: RAW, when: NOT_TCP },
      rules: [
        // A connection for each source port would be kept of the outer packets, looked up and translated to nothing.
        ...(encrypt ? [] : fromNodes(ours)),
        ...betweenNodes(ours, encrypt),
        "meta l4proto gre ip daddr @nodes4 ip saddr != @nodes4 counter drop",
        "meta l4proto gre ip6 daddr @nodes6 ip6 saddr != @nodes6 counter drop",
        `${ours} notrack`,
      ],
    },
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

/** What another node sends to this one is looked at once: none of the other rules would drop it. */
const fromNodes = (ours: string): string[] => [
  `${ours} ip saddr @nodes4 ip daddr != @nodes4 notrack return`,
  `${ours} ip6 saddr @nodes6 ip6 daddr != @nodes6 notrack return`,
];

/**
 * Nobody but the other nodes puts outer packets that look like these into our tunnels, and no pod sends one to a node. What
 * they look like comes first: every other packet passes here, too.
 */
export const betweenNodes = (ours: string, encrypted: boolean): string[] => [
  ...(encrypted
    ? [`${ours} fib daddr type local iifname != "${WIREGUARD_LINK}" counter drop`]
    : [
        `${ours} ip saddr != @nodes4 fib daddr type local counter drop`,
        `${ours} ip6 saddr != @nodes6 fib daddr type local counter drop`,
      ]),
  `${ours} ip daddr @nodes4 ip saddr != @nodes4 counter drop`,
  `${ours} ip6 daddr @nodes6 ip6 saddr != @nodes6 counter drop`,
];
