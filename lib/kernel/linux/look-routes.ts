/** Which of the wanted routes are there: a few are asked for one by one, many by a list. */
import { addressOf, bitsOf, type Family, family, lengthOf } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { RouteFact } from "#lib/state/fact.ts";
import { RT_TABLE_MAIN } from "../netlink/route.ts";
import type { Reply } from "../netlink/socket.ts";
import type { SeenLink } from "../rtnl/link.ts";
import { dumpRoutes, isRoute, matchRoute, readRoute, routeFact, type SeenRoute } from "../rtnl/route.ts";
import type { Place } from "./place.ts";

/** From here on a list of what leaves by the link takes less than asking for each. */
const MANY_ROUTES = 1_024;

interface Wanted {
  readonly want: RouteFact;
  readonly link: SeenLink;
}

/**
 * The first address of a destination is looked up as a packet would be: the answer is the route itself, or proves from
 * the same table that there is none. Where it is neither (another table, a destination within this one) it takes a list.
 * @throws SelvedgeError kernel
 */
export async function lookRoutes(
  place: Place,
  wanted: readonly RouteFact[],
  links: ReadonlyMap<string, SeenLink>,
): Promise<RouteFact[]> {
  const present = wanted.flatMap((want): Wanted[] => {
    const link = links.get(want.link);
    return link === undefined ? [] : [{ want, link }];
  });
  const known = await asked(place, present);
  const lists = new Map<string, RoutesByPrefix>();
  return present.flatMap(({ want, link }) => {
    const seen = known.has(want) ? known.get(want) : listed(place, lists, want, link);
    return seen === undefined ? [] : [routeFact(seen, want.at, want.link, want)];
  });
}

/** Those of which the kernel's answer says whether they are there. */
async function asked(place: Place, present: readonly Wanted[]): Promise<Map<RouteFact, SeenRoute | undefined>> {
  const few = present.length < MANY_ROUTES;
  const some = present.filter(({ want: { to, metric, unreachable } }) => {
    // Of one that leads nowhere IPv4 answers what a packet would meet, an error.
    if (unreachable === true || lengthOf(to) === 0) return false;
    return few || (isWhole(to) && metric === undefined);
  });
  const replies = await place.run(some.map(({ want }) => matchRoute(addressOf(want.to))));
  return new Map(
    some.flatMap((each, i): [RouteFact, SeenRoute | undefined][] => {
      const best = replies[i]?.messages.map(readRoute).find((route) => route !== undefined);
      if (best !== undefined && isRoute(each.want, each.link.index, best)) return [[each.want, best]];
      return isAbsent(each.want, best, replies[i]) ? [[each.want, undefined]] : [];
    }),
  );
}

const isWhole = (to: RouteFact["to"]): boolean => lengthOf(to) === bitsOf(family(to));

/** Nothing of the main table is nearer than a wider destination, or than nothing. */
function isAbsent(want: RouteFact, best: SeenRoute | undefined, reply: Reply | undefined): boolean {
  if ((want.table ?? RT_TABLE_MAIN) !== RT_TABLE_MAIN) return false;
  if (best === undefined) return reply?.error !== undefined;
  return best.table === RT_TABLE_MAIN && lengthOf(best.to) < lengthOf(want.to);
}

/** A node has thousands of routes by one link where it has thousands of peers. */
type RoutesByPrefix = ReadonlyMap<RouteFact["to"], readonly SeenRoute[]>;

function listed(
  place: Place,
  lists: Map<string, RoutesByPrefix>,
  want: RouteFact,
  link: SeenLink,
): SeenRoute | undefined {
  const of: Family = family(want.to);
  const table = want.table ?? RT_TABLE_MAIN;
  // One that leads nowhere is on no link, and a list of what leaves by one would lack it.
  const index = want.unreachable === true ? undefined : link.index;
  const key = `${of} ${table} ${index ?? "any"}`;
  const routes = lists.get(key) ?? Map.groupBy(routesIn(place, of, table, index), ({ to }) => to);
  lists.set(key, routes);
  return routes.get(want.to)?.find((route) => isRoute(want, link.index, route));
}

/** ENOENT: a table that nobody has used yet. */
function routesIn(place: Place, of: Family, table: number, index?: number): SeenRoute[] {
  try {
    return place.dump(dumpRoutes(of, table, index)).flatMap((message) => readRoute(message) ?? []);
  } catch (error) {
    if (isFailure(error, "kernel") && error.failure.errno === 2) return [];
    throw error;
  }
}
