/** Everything on the host that carries our mark: read by lists, at a cost that grows with the node. */
import type { Fact } from "#lib/state/fact.ts";
import { ROUTE_PROTOCOL } from "../kernel.ts";
import { dumpAddresses, readAddress } from "../rtnl/address.ts";
import { dumpLinks, isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { dumpNeighbours, readNeighbour } from "../rtnl/neighbour.ts";
import { dumpRoutes, readRoute, routeFact } from "../rtnl/route.ts";
import { dumpRules, isOwnPriority, readRule } from "../rtnl/rule.ts";
import { dumpQueues, readShaper, shaperFact } from "../rtnl/shaper.ts";
import { filtersOf, linkFact } from "./look.ts";
import type { Place } from "./place.ts";

/** `leaving`: names of links that are being deleted. @throws SelvedgeError kernel */
export function ownedFacts(host: Place, leaving: (name: string) => boolean): Fact[] {
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
    ...host.dump(dumpQueues).flatMap((message) => {
      const seen = readShaper(message);
      const link = seen === undefined ? undefined : own.get(seen.index);
      return seen === undefined || link === undefined ? [] : [shaperFact(seen, "host", link.name)];
    }),
    ...[...own.values()].flatMap((link) => ownRedirects(host, link, names)),
  ];
}

function ownLink(link: SeenLink, names: ReadonlyMap<number, string>): Fact {
  const master = link.master === undefined ? undefined : names.get(link.master);
  return linkFact(link, "host", master === undefined ? {} : { master });
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

/** Only what comes from a pod is redirected. */
function ownRedirects(host: Place, link: SeenLink, names: ReadonlyMap<number, string>): Fact[] {
  if (link.kind !== "veth") return [];
  return filtersOf(host, link.index).flatMap((seen) => {
    if (seen === undefined) return [];
    return [{ type: "redirect", at: "host", link: link.name, to: names.get(seen.to) ?? `index ${seen.to}` } as const];
  });
}
