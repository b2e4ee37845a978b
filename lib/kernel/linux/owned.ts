/** Everything on the host that carries our mark: read by lists, at a cost that grows with the node. */
import { oneByOne } from "#lib/slices.ts";
import type { Fact } from "#lib/state/fact.ts";
import { ROUTE_PROTOCOL } from "../kernel.ts";
import { isCarried } from "../nature.ts";
import { dumpAddresses, readAddress } from "../rtnl/address.ts";
import { dumpLinks, isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { dumpNeighbours, readNeighbour } from "../rtnl/neighbour.ts";
import { dumpRoutes, readRoute, routeFact } from "../rtnl/route.ts";
import { dumpRules, isOwnPriority, readRule } from "../rtnl/rule.ts";
import { linkFact } from "./look.ts";
import type { Place } from "./place.ts";
import { forwardsOf, portMacsOf, portVlansOf } from "./switching.ts";
import { ownTraffic } from "./traffic.ts";

const AT_ONCE = 32;
/** Messages of a list that are read. */
const MANY_AT_ONCE = 1_024;

/** `leaving`: names of links that are being deleted. @throws SelvedgeError kernel */
export async function ownedFacts(host: Place, leaving: (name: string) => boolean): Promise<Fact[]> {
  const every = host.dump(dumpLinks).map(readLink);
  const names = new Map(every.map((link) => [link.index, link.name]));
  const own = new Map(every.filter((link) => isOurs(link) && !leaving(link.name)).map((link) => [link.index, link]));
  return [
    ...[...own.values()].map((link) => ownLink(link, names)),
    ...(await ownRoutes(host, 4, names)),
    ...(await ownRoutes(host, 6, names)),
    ...([4, 6] as const).flatMap((family) =>
      host
        .dump(dumpRules(family))
        .flatMap((message) => readRule(message, "host") ?? [])
        .filter(({ priority }) => isOwnPriority(priority)),
    ),
    ...[...own.values()].flatMap((link) => ownAddresses(host, link)),
    ...(await ownNeighbours(host, own)),
    ...(await ownTraffic(host, [...own.values()], (index) => names.get(index) ?? `index ${index}`)),
    ...(await ownPorts(host, own)),
  ];
}

function ownLink(link: SeenLink, names: ReadonlyMap<number, string>): Fact {
  const master = link.master === undefined ? undefined : names.get(link.master);
  const under = isCarried(link.kind) && !link.isPeerElsewhere ? link.peer : link.nature.carrier;
  const name = under === undefined ? undefined : names.get(under);
  return linkFact(link, "host", {
    ...(master === undefined ? {} : { master }),
    ...(name === undefined ? {} : { parent: { at: "host", name } }),
  });
}

/** Each link is listed by itself: others have their turn in between. */
async function ownPorts(host: Place, own: ReadonlyMap<number, SeenLink>): Promise<Fact[]> {
  const found: Fact[] = [];
  for await (const link of oneByOne(own.values(), AT_ONCE)) {
    if (filtersForUs(own.get(link.master ?? link.index))) found.push(...portVlansOf(host, link));
    if (link.kind === "vxlan") found.push(...forwardsOf(host, link), ...portMacsOf(host, link));
  }
  return found;
}

/** Links of ours with addresses are bridges. Link-local ones are the kernel's. */
function ownAddresses(host: Place, link: SeenLink): Fact[] {
  if (link.kind !== "bridge") return [];
  return host.dump(dumpAddresses(0, link.index)).flatMap((message) => {
    const seen = readAddress(message);
    if (seen === undefined || seen.address.startsWith("fe80:")) return [];
    return [{ type: "address", at: "host", link: link.name, address: seen.address } as const];
  });
}

async function ownRoutes(host: Place, family: 4 | 6, names: ReadonlyMap<number, string>): Promise<Fact[]> {
  const found: Fact[] = [];
  for await (const message of oneByOne(host.dump(dumpRoutes(family, 0)), MANY_AT_ONCE)) {
    const seen = readRoute(message);
    if (seen?.protocol === ROUTE_PROTOCOL)
      found.push(routeFact(seen, "host", names.get(seen.index) ?? `index ${seen.index}`));
  }
  return found;
}

async function ownNeighbours(host: Place, own: ReadonlyMap<number, SeenLink>): Promise<Fact[]> {
  const found: Fact[] = [];
  for await (const message of oneByOne(host.dump(dumpNeighbours), MANY_AT_ONCE)) {
    const seen = readNeighbour(message);
    const link = seen && own.get(seen.index);
    if (seen !== undefined && link !== undefined)
      found.push({ type: "neighbour", at: "host", link: link.name, address: seen.address, mac: seen.mac });
  }
  return found;
}

/** Where a bridge of ours filters, nothing is on a VLAN that we did not put it on; other bridges give their ports one. */
const filtersForUs = (bridge: SeenLink | undefined): boolean => bridge?.nature.vlanFiltering === true;
