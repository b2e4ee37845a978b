/** What decisions need to know of the machine. */
import { release } from "node:os";
import { addressOf, anyPrefix, type Family, lengthOf } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { ERRNO } from "#native/libc.ts";
import type { NodeFacts } from "../kernel.ts";
import { RT_TABLE_MAIN } from "../netlink/route.ts";
import { dumpAddresses, readAddress } from "../rtnl/address.ts";
import { dumpLinks, isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { dumpRoutes, readRoute, type SeenRoute } from "../rtnl/route.ts";
import type { Place } from "./place.ts";

const ETHERNET_MTU = 1500;

/** @throws SelvedgeError kernel */
export function nodeFacts(host: Place): NodeFacts {
  const links = new Map(
    host
      .dump(dumpLinks)
      .map((message) => readLink(message))
      .map((link) => [link.index, link]),
  );
  const routes = [...mainRoutes(host, 4), ...mainRoutes(host, 6)];
  const uplink = defaultLink(routes, 4) ?? defaultLink(routes, 6);
  const own = [...links.values()].filter((link) => link.kind !== "loopback").map((link) => link.index);
  const addresses = host
    .dump(dumpAddresses(0, 0))
    .flatMap((message) => readAddress(message) ?? [])
    .filter(({ index, address }) => own.includes(index) && !address.startsWith("fe80:"));
  const foreign = [...links.values()].filter((link) => link.kind !== "loopback" && !isOurs(link));
  return {
    pathMtu: (uplink === undefined ? undefined : links.get(uplink)?.mtu) ?? ETHERNET_MTU,
    addresses: [...new Set(addresses.map(({ address }) => addressOf(address)))],
    kernelRelease: release(),
    ...(uplink === undefined ? {} : nameOf(links.get(uplink))),
    links: foreign.map(({ name }) => name),
    networks: foreign.flatMap(({ name, index, mtu }) =>
      addresses.flatMap((each) => (each.index === index ? [{ link: name, address: each.address, mtuBytes: mtu }] : [])),
    ),
    routes: routes.flatMap(({ to, index }) =>
      lengthOf(to) > 0 && foreign.some((link) => link.index === index) ? [to] : [],
    ),
  };
}

const nameOf = (link: SeenLink | undefined) => (link === undefined ? {} : { uplink: link.name });

/** The kernel makes the table with its first route, and has none to list before (net/ipv4/fib_frontend.c, inet_dump_fib). */
function mainRoutes(host: Place, family: Family): SeenRoute[] {
  try {
    return host.dump(dumpRoutes(family, RT_TABLE_MAIN)).flatMap((message) => readRoute(message) ?? []);
  } catch (error) {
    if (isFailure(error, "kernel") && error.failure.errno === ERRNO.ENOENT) return [];
    throw error;
  }
}

/** Ifindex behind the default route that is taken. */
function defaultLink(routes: readonly SeenRoute[], family: Family): number | undefined {
  return routes.filter((route) => route.to === anyPrefix(family)).sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0]
    ?.index;
}
