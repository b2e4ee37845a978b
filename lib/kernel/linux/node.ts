/** What decisions need to know of the machine. */
import { release } from "node:os";
import { addressOf, anyPrefix } from "#lib/address.ts";
import type { NodeFacts } from "../kernel.ts";
import { RT_TABLE_MAIN } from "../netlink/route.ts";
import { dumpAddresses, readAddress } from "../rtnl/address.ts";
import { dumpLinks, isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { dumpRoutes, readRoute } from "../rtnl/route.ts";
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
  const uplink = defaultLink(host, 4) ?? defaultLink(host, 6);
  const own = [...links.values()].filter((link) => link.kind !== "loopback").map((link) => link.index);
  const addresses = host
    .dump(dumpAddresses(0, 0))
    .flatMap((message) => readAddress(message) ?? [])
    .filter(({ index, address }) => own.includes(index) && !address.startsWith("fe80:"));
  return {
    pathMtu: (uplink === undefined ? undefined : links.get(uplink)?.mtu) ?? ETHERNET_MTU,
    addresses: [...new Set(addresses.map(({ address }) => addressOf(address)))],
    kernelRelease: release(),
    ...(uplink === undefined ? {} : nameOf(links.get(uplink))),
    links: [...links.values()].flatMap((link) => (link.kind === "loopback" || isOurs(link) ? [] : [link.name])),
  };
}

const nameOf = (link: SeenLink | undefined) => (link === undefined ? {} : { uplink: link.name });

/** Ifindex behind the default route that is taken. */
function defaultLink(host: Place, family: 4 | 6): number | undefined {
  const routes = host.dump(dumpRoutes(family, RT_TABLE_MAIN)).flatMap((message) => readRoute(message) ?? []);
  return routes.filter((route) => route.to === anyPrefix(family)).sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0]
    ?.index;
}
