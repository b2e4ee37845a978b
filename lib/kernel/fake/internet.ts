/** Addresses, routes, neighbours, rules, sysctls and queues of the fake. */
import { type Address, addressOf, contains, family, networkOf, type Prefix } from "#lib/address.ts";
import {
  type AddressFact,
  markText,
  type NeighbourFact,
  type RouteFact,
  type RuleFact,
  type SysctlFact,
} from "#lib/state/fact.ts";
import { type Device, deviceOf, type Network } from "./device.ts";
import { refusal } from "./refusal.ts";

export function ensureAddress(network: Network, fact: AddressFact): void {
  deviceOf(network, fact.link, `add address ${fact.address}`).addresses.set(fact.address, fact);
}

/** With the last IPv4 address of a link go its IPv4 routes and neighbours (net/ipv4/fib_frontend.c, v6.12). */
export function removeAddress(device: Device, address: Prefix): boolean {
  if (!device.addresses.delete(address)) return false;
  const is4 = (of: Address | Prefix): boolean => family(of) === 4;
  if (!is4(address) || [...device.addresses.keys()].some(is4)) return true;
  for (const [key, { fact, device: by }] of device.network.routes)
    if (by === device && is4(fact.to)) device.network.routes.delete(key);
  for (const neighbour of device.neighbours.keys()) if (is4(neighbour)) device.neighbours.delete(neighbour);
  return true;
}

/** linux/fib_rules.h, net/ip6_route.h: the main table and the metric of an IPv6 route that names none. */
const MAIN = 254;
const metricOf = (fact: RouteFact): number => (family(fact.to) === 6 ? fact.metric || 1024 : (fact.metric ?? 0));

const routeKey = (fact: RouteFact): string => `${fact.table ?? MAIN} ${fact.to} ${metricOf(fact)}`;

/** The route of the same table, destination and metric on the same link. */
export function findRoute(network: Network, fact: RouteFact): RouteFact | undefined {
  const found = network.routes.get(routeKey(fact));
  if (found === undefined || found.device.name !== fact.link) return undefined;
  const { metric: _, ...rest } = found.fact;
  // A fact that names no metric speaks of the kernel's own, and is the same thing only if the answer names none too.
  return { ...rest, ...(fact.metric === undefined ? {} : { metric: metricOf(fact) }), scope: scopeOf(found.fact) };
}

/** linux/rtnetlink.h: link for IPv4 without a gateway; IPv6 knows only universe. */
const scopeOf = (fact: RouteFact): number =>
  family(fact.to) === 6 ? 0 : (fact.scope ?? (fact.via === undefined && fact.unreachable !== true ? 253 : 0));

/** @throws SelvedgeError kernel ENODEV, ENETDOWN, ENETUNREACH, EINVAL, EEXIST (its place is taken by another route) */
export function ensureRoute(network: Network, fact: RouteFact, ours: boolean): void {
  const call = `add route ${fact.to}`;
  const device = deviceOf(network, fact.link, call);
  if (!device.up && fact.unreachable !== true) throw refusal(call, "ENETDOWN");
  if (networkOf(fact.to) !== fact.to) throw refusal(call, "EINVAL");
  if (fact.via !== undefined && !fact.onlink && !onLink(device, fact.via)) throw refusal(call, "ENETUNREACH");
  if (fact.source !== undefined && !isLocal(network, fact.source)) throw refusal(call, "EINVAL");
  const there = network.routes.get(routeKey(fact));
  if (there !== undefined && there.device !== device) throw refusal(call, "EEXIST");
  network.routes.set(routeKey(fact), { fact, device, ours });
}

const isLocal = (network: Network, address: Address): boolean =>
  [...network.devices.values()].some((device) => [...device.addresses.keys()].some((p) => addressOf(p) === address));

/** fe80::/10, RFC 4291 section 2.5.6. */
const LINK_LOCAL = "fe80::/10" as Prefix;

/** A link-local gateway is on its link by definition (net/ipv6/route.c, ip6_validate_gw, v6.12). */
function onLink(device: Device, gateway: Address): boolean {
  if (contains(LINK_LOCAL, gateway)) return true;
  for (const [prefix, { noPrefixRoute }] of device.addresses)
    if (noPrefixRoute !== true && contains(prefix, gateway)) return true;
  for (const route of device.network.routes.values())
    if (route.device === device && route.fact.via === undefined && contains(route.fact.to, gateway)) return true;
  return false;
}

export function removeRoute(network: Network, fact: RouteFact): void {
  const there = network.routes.get(routeKey(fact));
  if (there?.device.name === fact.link && (there.ours || fact.at === "pod")) network.routes.delete(routeKey(fact));
}

export function ensureNeighbour(network: Network, fact: NeighbourFact): void {
  deviceOf(network, fact.link, `add neighbour ${fact.address}`).neighbours.set(fact.address, fact.mac);
}

export const ruleKey = (fact: RuleFact): string =>
  `${fact.family} ${fact.priority} ${fact.table} ${fact.from ?? "all"} ${fact.iif ?? "-"} ${fact.mark === undefined ? "-" : markText(fact.mark)}`;

/** linux/netconf.h: keys below `conf/LINK` exist only while the link does. */
const perLink = /^net\/ipv[46]\/(?:conf|neigh)\/([^/]+)\//;

/** The value, "0" where nobody wrote one; undefined where there is no such key. */
export function sysctlValue(network: Network, key: string): string | undefined {
  const link = perLink.exec(key)?.[1];
  const missing = link !== undefined && link !== "all" && link !== "default" && !network.devices.has(link);
  return missing || !key.startsWith("net/") ? undefined : (network.sysctls.get(key) ?? "0");
}

/** @throws SelvedgeError kernel ENOENT */
export function ensureSysctl(network: Network, fact: SysctlFact): void {
  if (sysctlValue(network, fact.key) === undefined) throw refusal(`write ${fact.key}`, "ENOENT");
  network.sysctls.set(fact.key, fact.value);
}

export function ensureRule(network: Network, fact: RuleFact): void {
  network.rules.set(ruleKey(fact), fact);
}
