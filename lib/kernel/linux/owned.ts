/** Everything on the host that carries our mark: read by lists, at a cost that grows with the node. */
import { slices } from "#lib/slices.ts";
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

/** `leaving`: names of links that are being deleted. @throws SelvedgeError kernel */
export async function ownedFacts(host: Place, leaving: (name: string) => boolean): Promise<Fact[]> {
  const every = host.dump(dumpLinks).map(readLink);
  const names = new Map(every.map((link) => [link.index, link.name]));
  const own = new Map(every.filter((link) => isOurs(link) && !leaving(link.name)).map((link) => [link.index, link]));
  return [
    ...[...own.values()].map((link) => ownLink(link, names)),
    ...([4, 6] as const).flatMap((family) => [
      ...ownRoutes(host, family, names),
      ...host
        .dump(dumpRules(family))
        .flatMap((message) => readRule(message, "host") ?? [])
        .filter(({ priority }) => isOwnPriority(priority)),
    ]),
    ...[...own.values()].flatMap((link) => ownAddresses(host, link)),
    ...host.dump(dumpNeighbours).flatMap((message) => {
      const seen = readNeighbour(message);
      const link = seen === undefined ? undefined : own.get(seen.index);
      if (seen === undefined || link === undefined) return [];
      return [{ type: "neighbour", at: "host", link: link.name, address: seen.address, mac: seen.mac } as const];
    }),
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
  for await (const links of slices(own.values(), AT_ONCE))
    for (const link of links) {
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

function ownRoutes(host: Place, family: 4 | 6, names: ReadonlyMap<number, string>): Fact[] {
  return host.dump(dumpRoutes(family, 0)).flatMap((message) => {
    const seen = readRoute(message);
    if (seen === undefined || seen.protocol !== ROUTE_PROTOCOL) return [];
    return [routeFact(seen, "host", names.get(seen.index) ?? `index ${seen.index}`)];
  });
}

/** Where a bridge of ours filters, nothing is on a VLAN that we did not put it on; other bridges give their ports one. */
const filtersForUs = (bridge: SeenLink | undefined): boolean => bridge?.nature.vlanFiltering === true;
