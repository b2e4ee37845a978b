/** What routes of a pod have in common whatever its type: families, defaults, and the fields that pass through. */
import { type Address, anyPrefix, type Family, family } from "#lib/address.ts";
import type { RouteFact } from "#lib/state/fact.ts";
import type { PodAddress, PodRoute } from "./kind.ts";

/** Families of the addresses, each once, in the order in which they appear. */
export const familiesOf = (addresses: readonly PodAddress[]): Family[] => [
  ...new Set(addresses.map((a) => family(a.address))),
];

/** linux/rtnetlink.h: at RT_SCOPE_LINK and narrower a destination is on the link itself and has no gateway. */
const SCOPE_LINK = 253;

const onLink = (route: PodRoute): boolean => route.scope !== undefined && route.scope >= SCOPE_LINK;

/** The route with `gateway` filled in where it names none and is not on the link itself. */
export function through(route: PodRoute, gateway: Address | undefined): PodRoute {
  return route.via !== undefined || gateway === undefined || onLink(route) ? route : { ...route, via: gateway };
}

/** A default route for each family that has none yet in the same table. */
export function withDefaults(routes: readonly PodRoute[], families: readonly Family[]): PodRoute[] {
  const missing = families
    .map((f): PodRoute => ({ to: anyPrefix(f) }))
    .filter((d) => !routes.some((r) => r.to === d.to && r.table === undefined));
  return [...routes, ...missing];
}

/** A pod's route as a fact; fields that the configuration leaves out are not managed. */
export const podRoute = (route: PodRoute, link: string): RouteFact => ({ type: "route", at: "pod", link, ...route });
