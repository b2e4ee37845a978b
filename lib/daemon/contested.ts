/** Facts that two attachments may want at once; only these are counted. */
import type { Fact } from "#lib/state/fact.ts";

/** A bridge and its gateway address are made once and left standing when the last attachment goes, as the reference plugin does. */
export const lasting = (fact: Fact): boolean =>
  fact.at === "host" && ((fact.type === "link" && fact.kind === "bridge") || fact.type === "address");

/** A host port can have one holder only. */
export const isHostPort = (fact: Fact): boolean => fact.type === "element" && fact.set.startsWith("ports");

const COUNTED_SETS: readonly string[] = ["localnet"];

export const contested = (fact: Fact): boolean =>
  lasting(fact) || isHostPort(fact) || (fact.type === "element" && COUNTED_SETS.includes(fact.set));
