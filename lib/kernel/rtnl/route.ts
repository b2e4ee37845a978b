/** Route facts to messages and back. */
import { type Address, addressOf, anyPrefix, bitsOf, family, lengthOf, type Prefix, withLength } from "#lib/address.ts";
import type { RouteFact } from "#lib/state/fact.ts";
import { ROUTE_PROTOCOL } from "../kernel.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import {
  RT_SCOPE,
  RT_TABLE_MAIN,
  RTM_F_FIB_MATCH,
  RTM_ROUTE,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTNH_F_ONLINK,
  routeMessage,
} from "../netlink/route.ts";
import { AF, familyNumber, familyOf } from "./family.ts";

/** What the kernel gives a route that names no metric: net/ipv6/route.c, IP6_RT_PRIO_USER. */
const DEFAULT_METRIC = { 4: 0, 6: 1024 } as const;

/** `replace` takes the place of a route of the same destination, table and metric; without it that one refuses (EEXIST). */
export function addRoute(fact: RouteFact, index: number, replace: boolean): Request {
  const { metric, source, mtu, advmss, via } = fact;
  const isOnLink = via === undefined && fact.unreachable !== true && family(fact.to) === 4;
  const scope = fact.scope ?? (isOnLink ? RT_SCOPE.LINK : RT_SCOPE.UNIVERSE);
  const metrics = { ...(mtu === undefined ? {} : { mtu }), ...(advmss === undefined ? {} : { advmss }) };
  return {
    what: `route add ${fact.to} dev ${fact.link}`,
    type: RTM_ROUTE.NEW,
    flags: NLM_F.CREATE | (replace ? NLM_F.REPLACE : NLM_F.EXCL),
    body: routeMessage.body(
      {
        ...head(fact),
        scope,
        type: fact.unreachable === true ? RTN_UNREACHABLE : RTN_UNICAST,
        protocol: ROUTE_PROTOCOL,
        flags: fact.onlink === true ? RTNH_F_ONLINK : 0,
      },
      {
        ...selector(fact, index),
        ...(via === undefined ? {} : family(via) === family(fact.to) ? { via } : { otherVia: via }),
        ...(metric === undefined ? {} : { metric }),
        ...(source === undefined ? {} : { source }),
        ...(mtu === undefined && advmss === undefined ? {} : { metrics }),
      },
    ),
  };
}

/** Takes away a route only if it is ours: its protocol is part of the request. */
export const removeRoute = (fact: RouteFact, index: number): Request => ({
  what: `route del ${fact.to} dev ${fact.link}`,
  type: RTM_ROUTE.DEL,
  flags: 0,
  body: routeMessage.body(
    { ...head(fact), scope: RT_SCOPE_ANY, protocol: ROUTE_PROTOCOL },
    { ...selector(fact, index), ...(fact.metric === undefined ? {} : { metric: fact.metric }) },
  ),
});

/** RT_SCOPE_NOWHERE: in a deletion, a route of any scope. */
const RT_SCOPE_ANY = 255;

const tableOf = (fact: RouteFact): number => fact.table ?? RT_TABLE_MAIN;

const head = (fact: RouteFact) => ({
  family: familyNumber(fact.to),
  toLength: lengthOf(fact.to),
  table: tableOf(fact) < 256 ? tableOf(fact) : 0,
});

const selector = (fact: RouteFact, index: number) => ({
  ...(lengthOf(fact.to) === 0 ? {} : { to: addressOf(fact.to) }),
  // An IPv4 route that leads nowhere may name no link (net/ipv4/fib_semantics.c, fib_create_info).
  ...(fact.unreachable === true && family(fact.to) === 4 ? {} : { oif: index }),
  table: tableOf(fact),
});

/** The table's entry that a packet to the address would take. Exact, and of constant cost, for a whole address (/32, /128). */
export const matchRoute = (to: Address): Request => ({
  what: `route get ${to}`,
  type: RTM_ROUTE.GET,
  flags: 0,
  body: routeMessage.body({ family: familyNumber(to), toLength: bitsOf(family(to)), flags: RTM_F_FIB_MATCH }, { to }),
});

/** What a packet of the node's own would take, and with which source. */
export const getRoute = (to: Address): Request => ({
  what: `route get ${to}`,
  type: RTM_ROUTE.GET,
  flags: 0,
  body: routeMessage.body({ family: familyNumber(to), toLength: bitsOf(family(to)) }, { to }),
});

/** The kernel walks the table and gives what leaves by the link (by any, without one). */
export const dumpRoutes = (familyOfRoutes: 4 | 6, table: number, index?: number): Request => ({
  what: `route list table ${table}`,
  type: RTM_ROUTE.GET,
  flags: 0,
  body: routeMessage.body(
    { family: AF[familyOfRoutes] },
    { ...(table === 0 ? {} : { table }), ...(index === undefined ? {} : { oif: index }) },
  ),
});

export interface SeenRoute {
  readonly to: Prefix;
  readonly index: number;
  readonly via: Address | undefined;
  readonly table: number;
  /** Absent when it is what the kernel gives a route without one. */
  readonly metric: number | undefined;
  readonly mtu: number | undefined;
  readonly advmss: number | undefined;
  readonly scope: number;
  readonly source: Address | undefined;
  readonly protocol: number;
  readonly unreachable: boolean;
}

/** Of `lo`, in every namespace (net/core/net_namespace.c, v6.12). */
const LOOPBACK_INDEX = 1;

/** Undefined for what no fact can name (multipath, blackhole, …). @throws RangeError */
export function readRoute(message: Message): SeenRoute | undefined {
  const { head: header, attrs } = routeMessage.read(message.body);
  const of = familyOf(header.family);
  const unreachable = header.type === RTN_UNREACHABLE;
  const index = attrs.oif ?? (unreachable ? LOOPBACK_INDEX : undefined);
  if (of === undefined || index === undefined || !(unreachable || header.type === RTN_UNICAST)) return undefined;
  const metric = attrs.metric ?? 0;
  return {
    to: attrs.to === undefined ? anyPrefix(of) : withLength(attrs.to, header.toLength),
    index,
    via: attrs.via ?? attrs.otherVia,
    table: attrs.table ?? header.table,
    metric: metric === DEFAULT_METRIC[of] ? undefined : metric,
    mtu: attrs.metrics?.mtu,
    advmss: attrs.metrics?.advmss,
    scope: header.scope,
    source: attrs.source,
    protocol: header.protocol,
    unreachable,
  };
}

/** Whether a route that was found stands at the identity of the wanted one. */
export function isRoute(want: RouteFact, index: number, seen: SeenRoute): boolean {
  const plain = want.metric === DEFAULT_METRIC[family(want.to)] ? undefined : want.metric;
  return seen.index === index && seen.to === want.to && seen.table === tableOf(want) && seen.metric === plain;
}

/** The route as a fact; `want` gives it the words in which it was asked for. */
export function routeFact(seen: SeenRoute, at: RouteFact["at"], link: string, want?: RouteFact): RouteFact {
  const metric = want === undefined ? seen.metric : want.metric;
  const table = want === undefined && seen.table === RT_TABLE_MAIN ? undefined : (want?.table ?? seen.table);
  // IPv6 routes have no scope; whatever was asked for holds.
  const scope = family(seen.to) === 6 ? want?.scope : seen.scope;
  return {
    type: "route",
    at,
    to: seen.to,
    link,
    ...(seen.via === undefined ? {} : { via: seen.via }),
    ...(table === undefined || (want !== undefined && want.table === undefined) ? {} : { table }),
    ...(metric === undefined ? {} : { metric }),
    ...(seen.mtu === undefined ? {} : { mtu: seen.mtu }),
    ...(seen.advmss === undefined ? {} : { advmss: seen.advmss }),
    ...(scope === undefined ? {} : { scope }),
    ...(seen.source === undefined ? {} : { source: seen.source }),
    ...(seen.unreachable ? { unreachable: true } : {}),
  };
}
