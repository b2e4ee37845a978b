/** The pod's side of every type that puts it on an Ethernet segment, with its address in the segment's subnet. */
import { type Address, type Family, family, networkOf } from "#lib/address.ts";
import type { Fact, RouteFact } from "#lib/state/fact.ts";
import { familiesOf, podRoute, through } from "./families.ts";
import type { PodAddress, PodRoute } from "./kind.ts";

const gatewayOf = (addresses: readonly PodAddress[], f: Family): Address | undefined =>
  addresses.find((a) => family(a.address) === f && a.gateway !== undefined)?.gateway;

/**
 * Routes without a gateway go by the pool's gateway of their family, where there is one; those of a family in which the
 * pod has no address are left out.
 */
export function segmentRoutes(routes: readonly PodRoute[], addresses: readonly PodAddress[]): PodRoute[] {
  const families = familiesOf(addresses);
  return routes
    .filter((r) => families.includes(family(r.to)))
    .map((r) => through(r, gatewayOf(addresses, family(r.to))));
}

/**
 * Addresses, announced to the neighbours, and routes. The route to the subnet is a fact of its own, so that it is
 * checked and repaired like every other.
 */
export function segmentSide(link: string, addresses: readonly PodAddress[], routes: readonly PodRoute[]): Fact[] {
  const subnets = new Map(
    addresses.map(({ address }): [string, RouteFact] => {
      const to = networkOf(address);
      return [to, { type: "route", at: "pod", to, link }];
    }),
  );
  return [
    ...addresses.map(
      ({ address }): Fact => ({ type: "address", at: "pod", link, address, announce: true, noPrefixRoute: true }),
    ),
    ...subnets.values(),
    ...routes.map((r) => podRoute(r, link)),
  ];
}
