/**
 * A pod with several interfaces: each has a routing table of its own, and what the pod sends from an interface's address
 * is routed by that table. So a reply leaves by the interface that the request came in on, whatever the main table says.
 * The same rule answers the kernel's reverse path check (rp_filter), strict or loose.
 */
import {
  type Address,
  addressOf,
  anyPrefix,
  contains,
  family,
  hostPrefix,
  lengthOf,
  networkOf,
  type Prefix,
} from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Fact, RouteFact, RuleFact, SysctlFact } from "#lib/state/fact.ts";
import { familiesOf } from "./families.ts";
import type { Built, PodAddress } from "./kind.ts";

/** Tables of a pod's interfaces: 100 and up. linux/rtnetlink.h has names for 253 to 255 only. */
const FIRST_TABLE = 100;
/** As many as rule priorities: 5300 to 5399 are ours. */
export const MOST_INTERFACES = 100;
const FIRST_PRIORITY = 5_300;

export interface Apart {
  readonly ifname: string;
  /** As the pools have them, with the subnets' lengths. */
  readonly addresses: readonly PodAddress[];
  /** 0 to 99: which of the pod's tables is this interface's. Absent: none. */
  readonly slot?: number;
  /** Where the pod's default route leads. Absent: nothing is changed. */
  readonly defaultRoute?: boolean;
  /** By which it leads, in place of the network's of the same family; the earlier ones first. */
  readonly gateways?: readonly Address[];
}

/** Which of the pod's tables a fact needs, if it is the rule that leads there. */
export const slotOf = (fact: Fact): number | undefined =>
  fact.type === "rule" && fact.at === "pod" ? fact.table - FIRST_TABLE : undefined;

/** The same attachment among others of the pod: with a table of its own, and with the pod's default route or without. */
export function routedApart(given: Built, apart: Apart): Built {
  const built = throughOthers(given, apart);
  const routes = routesOf(built, apart);
  const isKept = (route: { to: Prefix; table?: number }): boolean =>
    apart.defaultRoute !== false || route.table !== undefined || lengthOf(route.to) > 0;
  const main = routes.filter(isKept);
  const added = main.filter((route) => !built.facts.includes(route));
  return {
    ...built,
    facts: [
      ...built.facts.filter((fact) => !isMain(fact)),
      ...main,
      ...(apart.slot === undefined ? [] : ownTable(built, routes, { ...apart, slot: apart.slot })),
    ],
    routes: [...built.routes.filter(isKept), ...added.map(({ to, via }) => (via === undefined ? { to } : { to, via }))],
  };
}

/** Later gateways of a family come after the metric that the kernel gives IPv6 routes (net/ipv6.h, IP6_RT_PRIO_USER). */
const LATER_METRIC = 1_025;

/** With the gateways that were asked for in its default routes. @throws SelvedgeError config-invalid */
function throughOthers(built: Built, { ifname, gateways = [] }: Apart): Built {
  if (gateways.length === 0) return built;
  const families = familiesOf(built.ips);
  const stranger = gateways.find((gateway) => !families.includes(family(gateway)));
  if (stranger !== undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "default-route" },
      `default-route: ${stranger} is no gateway for ${ifname}, which has no address of that family`,
    );
  if (built.guard === "inet")
    throw new SelvedgeError(
      { kind: "unsupported-field", field: "default-route" },
      `default-route: ${gateways.join(", ")} is not supported for ${ifname}, whose gateway is always the node`,
      { hint: 'An empty list, "default-route": [], leads the default route there.' },
    );
  const others = (route: { to: Prefix; table?: number }): boolean =>
    route.table !== undefined ||
    lengthOf(route.to) > 0 ||
    !gateways.some((gateway) => anyPrefix(family(gateway)) === route.to);
  const asked = gateways.map((via, i): RouteFact => {
    const isLater = gateways.slice(0, i).some((earlier) => family(earlier) === family(via));
    const route = throughGateway(built, ifname, anyPrefix(family(via)), via);
    return isLater ? { ...route, metric: LATER_METRIC + i } : route;
  });
  return {
    ...built,
    facts: [...built.facts.filter((fact) => !isMain(fact) || others(fact)), ...asked],
    routes: [
      ...built.routes.filter(others),
      ...asked.map(({ to, via, metric }) => ({ to, ...(via && { via }), ...(metric && { metric }) })),
    ],
  };
}

function ownTable(built: Built, routes: readonly RouteFact[], apart: Apart & { slot: number }): Fact[] {
  const { ifname, addresses, slot } = apart;
  const table = FIRST_TABLE + slot;
  return [
    ...withDefault(routes, built, ifname).map((route): RouteFact => ({ ...route, table })),
    ...rulesOf(built, ifname, { table, priority: FIRST_PRIORITY + slot }),
    ...(built.guard === "inet" ? [] : ownAddressOnly(ifname, addresses)),
  ];
}

const isMain = (fact: Fact): fact is RouteFact =>
  fact.type === "route" && fact.at === "pod" && fact.table === undefined;

/** Those of the main table, with one to the subnet of each address; a routed pair of links has none by itself. */
function routesOf(built: Built, { ifname, addresses, defaultRoute }: Apart): RouteFact[] {
  const routes = built.facts.filter(isMain);
  const subnets = addresses
    .map(({ address }) => networkOf(address))
    .filter((to) => to !== hostPrefix(addressOf(to)) && !routes.some((route) => route.to === to));
  const all = [
    ...routes,
    ...[...new Set(subnets)].flatMap((to) => {
      const via = gatewayOf(built, to);
      return via === undefined ? [] : [throughGateway(built, ifname, to, via)];
    }),
  ];
  return defaultRoute === true ? withDefault(all, built, ifname) : all;
}

/** A default route for each family whose gateway is known. */
const withDefault = (routes: readonly RouteFact[], built: Built, ifname: string): RouteFact[] => [
  ...routes,
  ...familiesOf(built.ips)
    .map(anyPrefix)
    .filter((to) => !routes.some((route) => route.to === to))
    .flatMap((to) => {
      const via = gatewayOf(built, to);
      return via === undefined ? [] : [throughGateway(built, ifname, to, via)];
    }),
];

const gatewayOf = ({ ips }: Built, to: Prefix): Address | undefined =>
  ips.find(({ address, gateway }) => gateway !== undefined && family(address) === family(to))?.gateway;

/** An IPv4 gateway in none of the pod's subnets is on the link all the same; a link-local IPv6 one always is. */
function throughGateway({ ips }: Built, link: string, to: Prefix, via: Address): RouteFact {
  const foreign = family(via) === 4 && !ips.some(({ address }) => contains(networkOf(address), via));
  return { type: "route", at: "pod", to, link, via, ...(foreign ? { onlink: true } : {}) };
}

const rulesOf = ({ facts }: Built, ifname: string, rule: { table: number; priority: number }): RuleFact[] =>
  facts.flatMap((fact): RuleFact[] =>
    fact.type === "address" && fact.at === "pod" && fact.link === ifname
      ? [{ type: "rule", at: "pod", family: family(fact.address), from: hostPrefix(addressOf(fact.address)), ...rule }]
      : [],
  );

/**
 * Two interfaces may lie on one segment. Left alone, Linux answers ARP for any of its addresses on any of its interfaces
 * (Documentation/networking/ip-sysctl.rst, arp_ignore and arp_announce), and a plane's traffic would come in on another.
 */
const ownAddressOnly = (ifname: string, addresses: readonly PodAddress[]): SysctlFact[] =>
  familiesOf(addresses).includes(4)
    ? [
        { type: "sysctl", at: "pod", key: `net/ipv4/conf/${ifname}/arp_ignore`, value: "1" },
        { type: "sysctl", at: "pod", key: `net/ipv4/conf/${ifname}/arp_announce`, value: "2" },
      ]
    : [];
