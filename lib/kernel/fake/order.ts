/** The order in which the fake performs operations: removals from the leaves, then additions from the roots. */
import type { Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";

const RANK = {
  table: 0,
  element: 1,
  link: 2,
  sysctl: 3,
  address: 4,
  neighbour: 5,
  route: 6,
  rule: 7,
  shaper: 8,
  tree: 8,
  redirect: 9,
  mirror: 9,
  "port-vlan": 10,
  forward: 11,
  "port-mac": 11,
  "wireguard-peer": 11,
  vf: 12,
  driver: 1.5,
  rdma: 12,
  offload: 12,
} as const satisfies Record<Fact["type"], number>;

/** A port comes after its bridge, a link after the one that carries it, and a gateway after the route that leads to it. */
function position(fact: Fact): number {
  if (fact.type === "route" && fact.via !== undefined) return RANK.route + 0.5;
  if (fact.type !== "link") return RANK[fact.type];
  // What a link of the host carries may be one of the host itself, which carries one of the pod.
  const carried = fact.parent === undefined ? 0 : fact.at === "host" ? 0.25 : 0.5;
  return RANK.link + Math.max(carried, fact.master !== undefined || fact.kind === "veth" ? 0.5 : 0);
}

/**
 * The new address is there before the old one goes: with the last IPv4 address of a link go its IPv4 routes
 * (net/ipv4/fib_frontend.c, fib_inetaddr_event, v6.12), also those that are to stay.
 */
export function inOrder(ops: readonly Op[]): Op[] {
  const sorted = ops.toSorted((a, b) => position(a.fact) - position(b.fact));
  const removals = sorted.filter((op) => op.do === "remove");
  const rest = sorted.filter((op) => op.do !== "remove");
  const isAddress = (op: Op): boolean => op.fact.type === "address";
  return [
    ...removals.filter((op) => !isAddress(op)).reverse(),
    ...rest.filter((op) => position(op.fact) <= RANK.address),
    ...removals.filter(isAddress),
    ...rest.filter((op) => position(op.fact) > RANK.address),
  ];
}
