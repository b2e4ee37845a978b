/**
 * Flow offload, for what comes by the links that lead to other nodes: the kernel's flowtable leads the packets of an
 * established connection from there straight to the pod, past our chains, those of others and connection tracking. Where
 * nodes reach each other directly that is the node's own link, and what comes by it from elsewhere is led so, too.
 *
 * Pods' own links are in no flowtable, so what a pod sends takes the whole way: nothing of spoof protection, code points,
 * egress addresses or policy routing is passed by. Its first packets do in both directions, and policies look at no others.
 * Queues, redirects and mirrors are on the pod's link, where offloaded packets leave, too. A route, a link or an address that
 * goes takes its flows with it (net/netfilter/nf_flow_table_core.c, v6.12).
 */
import { element } from "#lib/state/element.ts";
import { type Fact, OFFLOADED } from "#lib/state/fact.ts";
import type { Chain } from "../chain.ts";

/** Links by which what comes is offloaded. */
export const offloadFacts = (links: readonly string[]): Fact[] =>
  links.flatMap((link): Fact[] => [element("inet", "offloading", [link]), { type: "offload", at: "host", link }]);

/** After every other chain where packets are routed on: what any of them drops never comes to be offloaded. */
const LAST = "type filter hook forward priority 500";

export const offloadChains: readonly Chain[] = [
  {
    name: "ways_offload",
    hook: LAST,
    flowtable: `${OFFLOADED} { hook ingress priority 0; }`,
    rules: [
      `iifname @offloading oifname @guarded meta l4proto { tcp, udp } ct state established flow add @${OFFLOADED}`,
    ],
  },
];
