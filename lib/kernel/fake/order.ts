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
  redirect: 9,
} as const satisfies Record<Fact["type"], number>;

/** A port comes after its bridge, and a gateway after the route that leads to it. */
function position(fact: Fact): number {
  const later =
    (fact.type === "link" && (fact.master !== undefined || fact.kind === "veth")) ||
    (fact.type === "route" && fact.via !== undefined);
  return RANK[fact.type] + (later ? 0.5 : 0);
}

export function inOrder(ops: readonly Op[]): Op[] {
  const removals = ops.filter((op) => op.do === "remove").sort((a, b) => position(b.fact) - position(a.fact));
  const rest = ops.filter((op) => op.do !== "remove").sort((a, b) => position(a.fact) - position(b.fact));
  return [...removals, ...rest];
}
