/** Links that an `apply` speaks of, by name: looked up once, or just made. */
import type { Fact } from "#lib/state/fact.ts";
import { ERRNO, refused } from "#native/libc.ts";
import type { SeenLink } from "../rtnl/link.ts";
import { linksByName, type Place } from "./place.ts";

export interface Known {
  /** Looks up what the facts speak of and is not known yet. @throws SelvedgeError kernel */
  learn(facts: readonly Fact[]): Promise<void>;
  /** A link that was just made, or that is there under this number, or as it was seen. */
  add(name: string, index: number, made: "fresh" | "there" | SeenLink): void;
  isFresh(name: string): boolean;
  seen(name: string): SeenLink | undefined;
  has(name: string): boolean;
  /** @throws SelvedgeError kernel (ENODEV) */
  index(name: string): number;
}

/** net/core/net_namespace.c, include/net/net_namespace.h: LOOPBACK_IFINDEX */
const LOOPBACK_INDEX = 1;

export function knownLinks(place: Place): Known {
  const indexes = new Map<string, number>();
  const links = new Map<string, SeenLink>();
  const fresh = new Set<string>();
  return {
    async learn(facts) {
      const names = facts.flatMap(namesOf).filter((name) => !indexes.has(name));
      if (names.includes("lo")) indexes.set("lo", LOOPBACK_INDEX);
      const unknown = new Set(names.filter((name) => name !== "lo"));
      if (unknown.size === 0) return;
      for (const [name, link] of await linksByName(place, unknown)) {
        indexes.set(name, link.index);
        links.set(name, link);
      }
    },
    add(name, index, made) {
      indexes.set(name, index);
      if (made === "fresh") fresh.add(name);
      else if (made !== "there") links.set(name, made);
    },
    isFresh: (name) => fresh.has(name),
    seen: (name) => links.get(name),
    has: (name) => indexes.has(name),
    index(name) {
      const index = indexes.get(name);
      if (index === undefined) throw refused(`link get ${name}`, ERRNO.ENODEV);
      return index;
    },
  };
}

/** Names of links whose ifindex a fact needs. */
function namesOf(fact: Fact): string[] {
  if (fact.type === "link") return [fact.name, ...(fact.master === undefined ? [] : [fact.master])];
  if (fact.type === "redirect" || fact.type === "mirror") return [fact.link, fact.to];
  return "link" in fact ? [fact.link] : [];
}
