/**
 * Whether a router still does what it did before a push: BGP sessions that were up, and static routes of ours that it used.
 * It tells both as FRR does (VyOS hands these commands on to vtysh: op-mode-definitions, show-bgp and show-ip-route).
 */
import { type Address, address, family, type Prefix, prefix } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import type { Path } from "./path.ts";
import type { EdgeView, RouterSpec } from "./router.ts";

export interface Vitals {
  /** Neighbours whose session is established. */
  readonly sessions: ReadonlySet<Address>;
  /** Static ones that are used. */
  readonly routes: ReadonlySet<Prefix>;
}

/** Operational commands, without `show`, that `vitalsOf` reads the answers of. */
export function vitalSigns({ bgp, static: statics }: RouterSpec): Path[] {
  const within = (vrf: string | undefined): Path => (vrf === undefined ? [] : ["vrf", vrf]);
  if (bgp !== undefined) return [["bgp", ...within(bgp.vrf), "summary"]];
  if (statics === undefined) return [];
  return [
    ["ip", "route", ...(statics.vrf === undefined ? ["static"] : within(statics.vrf))],
    ["ipv6", "route", ...(statics.vrf === undefined ? ["static"] : within(statics.vrf))],
  ];
}

/** `*192.0.2.11  4  65001  32  26  0  0  0 00:01:03  1  0 N/A`: where a session is not up a word is in the place of the 1. */
const NEIGHBOUR = /^\*?(?:\S+\()?([0-9a-f.:]+)\)?\s+4\s+\d+\s+\d+\s+\d+\s+\d+\s+\d+\s+\d+\s+\S+\s+(\S+)/;
/** `S>* 10.66.0.0/16 [1/0] via 192.0.2.11, eth1, weight 1, 00:00:05` */
const ROUTE = /^S>\S*\s+([0-9a-f.:]+\/\d+)\s/;

export function vitalsOf(answers: readonly string[]): Vitals {
  const lines = answers.join("\n").split("\n");
  const sessions = lines.flatMap((line) => {
    const [, name = "", state = ""] = NEIGHBOUR.exec(line) ?? [];
    return (/^\d+$/.test(state) ? readable(() => address(name)) : undefined) ?? [];
  });
  const routes = lines.flatMap((line) => readable(() => prefix(ROUTE.exec(line)?.[1] ?? "")) ?? []);
  return { sessions: new Set(sessions), routes: new Set(routes) };
}

/** What should be as it was: nodes that have died since take their sessions along, and routes may be others' on purpose. */
export function lasting(before: Vitals, view: EdgeView, wanted: ReadonlySet<Prefix>): Vitals {
  const dead = new Set(view.nodes.filter(({ isAlive }) => !isAlive).flatMap(({ addresses }) => addresses));
  return {
    sessions: new Set([...before.sessions].filter((each) => !dead.has(each))),
    routes: new Set([...before.routes].filter((each) => wanted.has(each))),
  };
}

/**
 * More than half of something is gone: one node may die at the moment of a push, and is no fault of it.
 * @returns undefined where all is well
 */
export function harm(expected: Vitals, now: Vitals): string | undefined {
  const gone = { sessions: missing(expected.sessions, now.sessions), routes: missing(expected.routes, now.routes) };
  if (2 * gone.sessions.length > expected.sessions.size)
    return `of ${expected.sessions.size} BGP sessions ${gone.sessions.length} are down: ${some(gone.sessions)}`;
  if (2 * gone.routes.length > expected.routes.size)
    return `of ${expected.routes.size} static routes ${gone.routes.length} are not used any more: ${some(gone.routes)}`;
  return undefined;
}

const missing = <T extends Address | Prefix>(expected: ReadonlySet<T>, now: ReadonlySet<T>): T[] =>
  [...expected].filter((each) => !now.has(each)).sort((a, b) => family(a) - family(b));
const some = (all: readonly string[]): string => `${all.slice(0, 3).join(", ")}${all.length > 3 ? ", …" : ""}`;
