/**
 * What the firewall has to do for the ways: nobody but the other nodes puts packets into our tunnels, no pod does so
 * through its node, and TCP learns of the smaller packets at once.
 */
import type { Chain } from "../tables.ts";
import type { Here } from "./ends.ts";
import { vxlanLink, WIREGUARD_LINK } from "./names.ts";

/**
 * GRE and WireGuard know their peers by themselves. Outer packets of VXLAN are known by port and VNI (RFC 7348 section 5: 12
 * bytes behind the UDP header's begin); a pod that would send either to another node would be taken for its own node where
 * it is masqueraded.
 */
export function wayChains({ vxlan: { vni, port }, encrypt }: Pick<Here, "vxlan" | "encrypt">): Chain[] {
  return [
    {
      name: "ways_raw",
      hook: "type filter hook prerouting priority -305",
      rules: [
        ...betweenNodes(`udp dport ${port} @th,96,24 ${vni}`, encrypt),
        "ip daddr @nodes4 ip saddr != @nodes4 meta l4proto gre counter drop",
        "ip6 daddr @nodes6 ip6 saddr != @nodes6 meta l4proto gre counter drop",
      ],
    },
    {
      name: "ways_mss",
      hook: "type filter hook forward priority -150",
      rules: [`{ "${vxlanLink(4)}", "${vxlanLink(6)}", "${WIREGUARD_LINK}" }`, '"sg*"'].map(
        (links) => `oifname ${links} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu`,
      ),
    },
  ];
}

/** Nobody but the other nodes puts outer packets that look like these into our tunnels, and no pod sends one to a node. */
export const betweenNodes = (ours: string, encrypted: boolean): string[] => [
  ...(encrypted
    ? [`fib daddr type local iifname != "${WIREGUARD_LINK}" ${ours} counter drop`]
    : [
        `fib daddr type local ip saddr != @nodes4 ${ours} counter drop`,
        `fib daddr type local ip6 saddr != @nodes6 ${ours} counter drop`,
      ]),
  `ip daddr @nodes4 ip saddr != @nodes4 ${ours} counter drop`,
  `ip6 daddr @nodes6 ip6 saddr != @nodes6 ${ours} counter drop`,
];
