/**
 * Attachments whose MTU is what the node's path leaves: when the path changes, so do their links, those in running pods
 * among them. Routes to other nodes and the size that TCP is told follow by themselves (lib/datapath/ways).
 */
import type { Result } from "#lib/cni/types.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { allFacts } from "./parts.ts";

/** What the path leaves, bytes. */
export const pathMtus = ({ cluster, node }: Pick<Core, "cluster" | "node">): Record<"path" | "segment", number> => {
  const path = cluster?.podMtu() ?? node.pathMtu;
  return { path, segment: cluster?.segmentMtu(node) ?? path };
};

type Mtus = ReturnType<typeof pathMtus>;

const wantedOf = ({ mtuFrom }: LinkFact, mtus: Mtus): number | undefined =>
  mtuFrom === undefined ? undefined : mtus[mtuFrom.of] - mtuFrom.lessBytes;

const isStaleLink = (fact: Fact, mtus: Mtus): fact is LinkFact =>
  fact.type === "link" && fact.mtuFrom !== undefined && fact.mtu !== wantedOf(fact, mtus);

/** Whether any link of it is to have another MTU. */
export const isOffPath = (record: AttachmentRecord, mtus: Mtus): boolean =>
  record.phase === "ready" && allFacts(record).some((fact) => isStaleLink(fact, mtus));

/** The attachment as it is to be. */
export function onPath(record: AttachmentRecord, mtus: Mtus): AttachmentRecord {
  /** By the name of the link. */
  const changed = new Map<string, number>();
  const moved = (facts: readonly Fact[]): Fact[] =>
    facts.map((fact) => {
      const mtu = isStaleLink(fact, mtus) ? wantedOf(fact, mtus) : undefined;
      if (fact.type !== "link" || mtu === undefined) return fact;
      changed.set(fact.name, mtu);
      return { ...fact, mtu };
    });
  const { facts, tenantFacts, result } = record;
  const now = {
    facts: moved(facts),
    ...(tenantFacts === undefined
      ? {}
      : { tenantFacts: Object.fromEntries(Object.entries(tenantFacts).map(([host, of]) => [host, moved(of)])) }),
  };
  return { ...record, ...now, ...(result === undefined ? {} : { result: told(result, changed) }) };
}

function told(text: string, changed: ReadonlyMap<string, number>): string {
  const result = JSON.parse(text) as Result;
  const interfaces = result.interfaces.map((each) => {
    const mtu = changed.get(each.name);
    return mtu === undefined ? each : { ...each, mtu };
  });
  return JSON.stringify({ ...result, interfaces });
}
