/**
 * What a pod's policies say of one class of peers, for every port: a verdict, and the ports for which it is the other one.
 * Rows that say the same are one row, however many pods and peers they are for.
 */
import { type Action, type PortRange, PROTOCOLS, type Protocol } from "./objects.ts";

export interface Row {
  /** Verdict of everything but the exceptions, protocols without ports among it. */
  readonly verdict: "accept" | "deny";
  /** In ascending order, apart from each other. */
  readonly exceptions: readonly PortRange[];
  /** The same for rows that say the same. */
  readonly text: string;
}

/** A rule that fits the peer, with its names of ports resolved. */
export interface FittingRule {
  readonly action: Action;
  /** Absent: every packet. */
  readonly ports?: readonly PortRange[];
}

export interface FittingTier {
  /** In the order in which they are asked. */
  readonly rules: readonly FittingRule[];
  /** What no rule fits is denied here, and goes to no other tier. */
  readonly isolates: boolean;
}

export function rowOf(tiers: readonly FittingTier[]): Row {
  const verdict = decide(tiers, () => false);
  const exceptions = PROTOCOLS.flatMap((protocol) => exceptionsOf(tiers, protocol, verdict));
  const texts = exceptions.map(({ protocol, first, last }) => `${protocol} ${first}-${last}`);
  return { verdict, exceptions, text: [verdict, ...texts].join(", ") };
}

/** `has`: whether the ports of a rule are those that are asked about. */
function decide(tiers: readonly FittingTier[], has: (ports: readonly PortRange[]) => boolean): "accept" | "deny" {
  for (const { rules, isolates } of tiers) {
    const rule = rules.find(({ ports }) => ports === undefined || has(ports));
    if (rule !== undefined && rule.action !== "pass") return rule.action;
    if (isolates) return "deny";
  }
  return "accept";
}

function exceptionsOf(tiers: readonly FittingTier[], protocol: Protocol, usual: "accept" | "deny"): PortRange[] {
  const ranges = tiers.flatMap(({ rules }) =>
    rules.flatMap(({ ports = [] }) => ports.filter((range) => range.protocol === protocol)),
  );
  const starts = new Set([0, ...ranges.flatMap(({ first, last }) => [first, last + 1])]);
  starts.delete(HIGHEST + 1);
  const cuts = [...starts].sort((a, b) => a - b);
  const found: PortRange[] = [];
  for (const [i, first] of cuts.entries()) {
    const has = (ports: readonly PortRange[]) =>
      ports.some((range) => range.protocol === protocol && range.first <= first && first <= range.last);
    if (decide(tiers, has) === usual) continue;
    const last = (cuts[i + 1] ?? HIGHEST + 1) - 1;
    const before = found.at(-1);
    if (before?.last === first - 1) found[found.length - 1] = { ...before, last };
    else found.push({ protocol, first, last });
  }
  return found;
}

export const HIGHEST = 65_535;
