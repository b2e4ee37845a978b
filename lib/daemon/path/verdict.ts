/** What the probes along a path say, and where to look when packets do not arrive. Pure. */
import type { PathHop, PathProbe } from "#proto/selvedge_pb.ts";

export type Verdict = "reached" | "narrow" | "unreachable" | "lost" | "untested";

export interface Judged {
  readonly verdict: Verdict;
  /** Sentences. */
  readonly advice: readonly string[];
}

/** @param hops in order @param probes those with a hop limit come last */
export function judged(hops: readonly PathHop[], probes: readonly PathProbe[]): Judged {
  const missing = hops.filter((hop) => hop.missing.length > 0).map(lacks);
  const [small, large] = probes.filter(({ hopLimit }) => hopLimit === 0);
  if (small === undefined) return { verdict: "untested", advice: missing };
  if (small.outcome === "answered") {
    if (large === undefined || large.outcome === "answered") return { verdict: "reached", advice: missing };
    const told = large.by === "" ? "" : `; ${large.by} says it is too large`;
    return {
      verdict: "narrow",
      advice: [
        `packets of ${large.bytes} bytes, which pods may send, do not arrive${told}: \`selvedgectl doctor mtu\` tells of each node`,
        ...missing,
      ],
    };
  }
  if (small.outcome === "unreachable" || small.outcome === "too-large")
    return { verdict: "unreachable", advice: [refusedBy(small), ...noWay(hops), ...missing] };
  return { verdict: "lost", advice: [lostWhere(hops, probes), ...noWay(hops), ...missing] };
}

const lacks = ({ node, device, missing }: PathHop): string =>
  `${node} lacks something of ${device || "its way"} (${missing.length}): \`selvedgectl reconcile\` there restores it`;

const refusedBy = ({ by }: PathProbe): string =>
  by === "" ? "the pod itself has no route there" : `${by} says that nobody is there`;

const noWay = (hops: readonly PathHop[]): string[] =>
  hops.filter(({ place, device }) => place === "way" && device === "").map(({ node, what }) => `${node}: ${what}`);

function lostWhere(hops: readonly PathHop[], probes: readonly PathProbe[]): string {
  const passed = probes.filter(({ hopLimit, outcome }) => hopLimit > 0 && outcome === "exceeded");
  const last = passed.at(-1);
  const nodes = [...new Set(hops.map(({ node }) => node))];
  const tunnel = hops.find(({ place, kind }) => place === "way" && kind !== "" && kind !== "direct" && kind !== "none");
  if (last === undefined)
    return `lost before ${nodes[0] ?? "the node"} passed it on: is the pod's default route there, and what do its firewall and the chains above drop?`;
  if (nodes.length > 1 && passed.length < nodes.length)
    return tunnel === undefined
      ? `lost after ${last.by} on ${nodes[0]}: does ${nodes[1]} answer? \`selvedgectl peers\``
      : `lost after ${last.by} on ${nodes[0]}: do packets of ${tunnel.kind} pass between the nodes? \`selvedgectl peers\`, \`selvedgectl doctor mtu\``;
  return `lost after ${last.by} on ${nodes.at(-1)}: the last stretch, or the pod itself does not answer`;
}
