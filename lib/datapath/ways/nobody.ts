/** What becomes of packets to addresses that no node has, or whose node is dead. */
import type { Prefix } from "#lib/address.ts";
import type { RouteFact } from "#lib/state/fact.ts";

/** Every route to a block or a pod is nearer, and every other route of the whole network is better. */
const METRIC = 0x7fff_0000;

/** Without it they would leave by the default route, and come back or go astray; so their senders are told at once. */
export const nobodyFacts = (networks: readonly Prefix[]): RouteFact[] =>
  networks.map((to) => ({ type: "route", at: "host", to, link: "lo", metric: METRIC, unreachable: true }));
