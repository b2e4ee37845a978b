/**
 * Whether a router still does what it did before a push: BGP sessions that were up, and static routes of ours that it used.
 * It tells both as FRR does (VyOS hands these commands on to vtysh: op-mode-definitions, show-bgp and show-ip-route).
 */
import { type Address, address, family, type Prefix, prefix } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import type { Step } from "./change.ts";
import { type Path, pathOf } from "./path.ts";
import type { Piece } from "./piece.ts";
import type { EdgeView, RouterSpec } from "./router.ts";

export interface Vitals {
  /** Neighbours whose session is established. */
  readonly sessions: ReadonlySet<Address>;
  /** Static ones that are used. */
  readonly routes: ReadonlySet<Prefix>;
}

/** Operational commands, without `show`, that `vitalsOf` reads the answers of. */
export function vitalSigns({ bgp, static: statics, sites, vrfs }: RouterSpec): Path[] {
  // Sites are in no VRF.
  const sessions = new Set<string | undefined>(bgp === undefined ? [] : [bgp.vrf]);
  const routes = new Set<string | undefined>(statics === undefined ? [] : [statics.vrf]);
  for (const site of sites) (site.bgp === undefined ? routes : sessions).add(undefined);
  if (statics !== undefined) for (const { name, pools = [] } of vrfs) if (pools.length > 0) routes.add(name);
  return [
    ...Array.from(sessions, (vrf) => ["bgp", ...(vrf === undefined ? [] : ["vrf", vrf]), "summary"]),
    ...Array.from(routes, (vrf) => (vrf === undefined ? ["static"] : ["vrf", vrf])).flatMap((where) => [
      ["ip", "route", ...where],
      ["ipv6", "route", ...where],
    ]),
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

/**
 * What should be as it was: nodes that have died since take their sessions along; neighbours may go, and routes be others', on
 * purpose.
 */
export function lasting(before: Vitals, view: EdgeView, wanted: readonly Piece[], steps: readonly Step[]): Vitals {
  const dead = new Set<string>(view.nodes.filter(({ isAlive }) => !isAlive).flatMap(({ addresses }) => addresses));
  const gone = new Set(neighboursIn(steps.flatMap(({ removed }) => removed.map(pathOf))));
  const stays = new Set(neighboursIn(wanted.flatMap(({ paths }) => paths)));
  const destinations = new Set(wanted.flatMap(({ at }) => (at.includes("static") ? [at.at(-1)] : [])));
  return {
    sessions: new Set([...before.sessions].filter((each) => !dead.has(each) && (stays.has(each) || !gone.has(each)))),
    routes: new Set([...before.routes].filter((each) => destinations.has(each))),
  };
}

/** `protocols bgp neighbor 192.0.2.11 peer-group SELVEDGE` */
const neighboursIn = (paths: readonly Path[]): string[] =>
  paths.flatMap((path) =>
    path.includes("bgp") && path.includes("neighbor") ? (path[path.indexOf("neighbor") + 1] ?? []) : [],
  );

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
