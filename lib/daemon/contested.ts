/** Facts that two attachments may want at once; only these are counted. */
import { isCarrierOfMany, isIdler, isMirrorTunnel } from "#lib/attach/names.ts";
import type { Fact } from "#lib/state/fact.ts";

/**
 * A bridge and its gateway address are made once and left standing when the last attachment goes, as the reference plugin does.
 * So are shims and outer VLANs: a DEL that removed one could take it from under an ADD that has just found it.
 */
export const lasting = (fact: Fact): boolean =>
  fact.at === "host" &&
  (isStanding(fact) || fact.type === "address" || (fact.type === "port-vlan" && isCarrierOfMany(fact.link)));

const isStanding = (fact: Fact): boolean =>
  fact.type === "link" && (fact.kind === "bridge" || isCarrierOfMany(fact.name) || fact.peer?.at === "host");

/**
 * Lasting, but not for ever: a full pass removes it when nobody wants it, since its parent can carry nothing else
 * meanwhile.
 */
export const idles = (fact: Fact): boolean =>
  fact.at === "host" &&
  ((fact.type === "link" && isIdler(fact.name)) || ("link" in fact && fact.type !== "port-vlan" && isIdler(fact.link)));

/** A host port can have one holder only. */
export const isHostPort = (fact: Fact): boolean => fact.type === "element" && fact.set.startsWith("ports");

/** Mirrors to one analyser share their tunnel. */
const ofTunnel = (fact: Fact): boolean =>
  (fact.type === "link" && isMirrorTunnel(fact.name)) || (fact.type === "forward" && isMirrorTunnel(fact.link));

const COUNTED_SETS: readonly string[] = ["localnet", "probe4", "probe6"];

export const contested = (fact: Fact): boolean =>
  lasting(fact) || isHostPort(fact) || ofTunnel(fact) || (fact.type === "element" && COUNTED_SETS.includes(fact.set));
