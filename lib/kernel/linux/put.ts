/** The steps that make one fact hold. Links must exist; `index` finds them. */
import { family } from "#lib/address.ts";
import type { AddressFact, Fact, RouteFact } from "#lib/state/fact.ts";
import { ERRNO } from "#native/libc.ts";
import { ROUTE_PROTOCOL } from "../kernel.ts";
import { RT_TABLE_MAIN } from "../netlink/route.ts";
import { addAddress, removeAddress } from "../rtnl/address.ts";
import { addNeighbour, removeNeighbour } from "../rtnl/neighbour.ts";
import { addRoute, dumpRoutes, readRoute, removeRoute } from "../rtnl/route.ts";
import { addRule, removeRule } from "../rtnl/rule.ts";
import type { Place } from "./place.ts";
import { GONE, type Step } from "./steps.ts";
import { isTraffic, putTraffic, type Traffic, takeTraffic } from "./traffic.ts";

/** Facts that lie on links or beside them, and that rtnetlink carries. */
export type Laid = Extract<Fact, { type: "address" | "route" | "neighbour" | "rule" }> | Traffic;
/** Ifindex of a link at the place at hand. @throws SelvedgeError kernel (ENODEV) */
export type IndexOf = (name: string) => number;

export const isLaid = (fact: Fact): fact is Laid =>
  isTraffic(fact) || ["address", "route", "neighbour", "rule"].includes(fact.type);

/** `present`: the diff found the thing at its identity with other properties. */
export function put(place: Place, fact: Laid, index: IndexOf, present: boolean): Step[] {
  switch (fact.type) {
    case "address":
      return [addressStep(fact, index(fact.link))];
    case "route":
      return [routeStep(place, fact, index(fact.link), present)];
    case "neighbour":
      return [{ request: addNeighbour(fact, index(fact.link)) }];
    case "rule":
      return [{ request: addRule(fact), tolerate: [ERRNO.EEXIST] }];
    case "shaper":
    case "tree":
    case "redirect":
    case "mirror":
      return putTraffic(fact, index);
  }
}

function addressStep(fact: AddressFact, index: number): Step {
  const step = { request: addAddress(fact, index), tolerate: [ERRNO.EEXIST] };
  return family(fact.address) === 6 ? { ...step, ipv6: fact.link } : step;
}

/**
 * A route of the same destination and metric stands already: one on the same link gives way, on the host one of ours,
 * too. A stranger's does not, and in a pod not that of another interface of ours.
 */
function routeStep(place: Place, fact: RouteFact, index: number, present: boolean): Step {
  if (present) return { request: addRoute(fact, index, true) };
  const request = addRoute(fact, index, false);
  const steps = (): Step[] => {
    const rivals = place
      .dump(dumpRoutes(family(fact.to), fact.table ?? RT_TABLE_MAIN))
      .flatMap((message) => readRoute(message) ?? [])
      .filter((route) => route.to === fact.to);
    const mayReplace = rivals.some(
      (route) => route.index === index || (fact.at === "host" && route.protocol === ROUTE_PROTOCOL),
    );
    return [{ request: mayReplace ? addRoute(fact, index, true) : request }];
  };
  return { request, otherwise: { errno: ERRNO.EEXIST, steps } };
}

export function take(fact: Laid, index: IndexOf): Step[] {
  switch (fact.type) {
    case "address":
      return [{ request: removeAddress(fact, index(fact.link)), tolerate: GONE }];
    case "route":
      return [{ request: removeRoute(fact, index(fact.link)), tolerate: GONE }];
    case "neighbour":
      return [{ request: removeNeighbour(fact, index(fact.link)), tolerate: GONE }];
    case "rule":
      return [{ request: removeRule(fact), tolerate: GONE }];
    case "shaper":
    case "tree":
    case "redirect":
    case "mirror":
      return takeTraffic(fact, index);
  }
}
