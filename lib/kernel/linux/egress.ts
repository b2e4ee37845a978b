/** How the node reaches addresses, as its routing table has it. */
import type { Address } from "#lib/address.ts";
import type { Egress } from "#lib/state/egress.ts";
import type { Reply } from "../netlink/socket.ts";
import { getLink, isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { getRoute, matchRoute, readRoute, type SeenRoute } from "../rtnl/route.ts";
import type { Place } from "./place.ts";

/**
 * Two questions for each address: what a packet would take, which tells its source, and the entry behind that, whose MTU
 * somebody set; what the kernel has learnt of the path lasts for minutes only. @throws SelvedgeError kernel
 */
export async function egressOf(host: Place, addresses: readonly Address[]): Promise<Egress[]> {
  const replies = await host.run(addresses.flatMap((address) => [getRoute(address), matchRoute(address)]));
  const found = addresses.map((to, i) => ({ to, taken: routeIn(replies[2 * i]), entry: routeIn(replies[2 * i + 1]) }));
  const indexes = [...new Set(found.flatMap(({ taken }) => taken?.index ?? []))];
  const links = new Map<number, SeenLink>();
  for (const { messages } of await host.run(indexes.map(getLink)))
    for (const link of messages.map(readLink)) links.set(link.index, link);
  return found.flatMap(({ to, taken, entry }) => {
    const link = links.get(taken?.index ?? 0);
    // The loopback: one of our own addresses, or one that is thrown away.
    if (taken?.source === undefined || link === undefined || isOurs(link) || link.kind === "loopback") return [];
    const mtuBytes = Math.min(link.mtu, entry?.mtu ?? link.mtu);
    const via = taken.via === to ? undefined : taken.via;
    return [{ to, link: link.name, mtuBytes, source: taken.source, ...(via === undefined ? {} : { via }) }];
  });
}

const routeIn = (reply: Reply | undefined): SeenRoute | undefined =>
  reply?.messages.map(readRoute).find((route) => route !== undefined);
