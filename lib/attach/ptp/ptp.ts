/**
 * `ptp`: a routed pair of links, the default. The pod's addresses are /32 and /128, everything it sends goes to a
 * link-local gateway that exists only as a permanent neighbour, and the host reaches the pod by a host route. There is no
 * ARP, no neighbour discovery, no bridge, and no work that grows with the number of pods.
 */
import { type Address, addressOf, type Family, family, hostPrefix, type Mac } from "#lib/address.ts";
import type { Fact, NeighbourFact, RouteFact } from "#lib/state/fact.ts";
import { familiesOf, podRoute, through, withDefaults } from "../families.ts";
import type { Attached, Built, Kind, PodRoute } from "../kind.ts";
import { hairpinElements, localnetElement } from "../localnet.ts";

/** Link-local (RFC 3927, RFC 4291), never assigned to a link: pods of every node and network can share them. */
export const GATEWAY = { 4: "169.254.1.1" as Address, 6: "fe80::1" as Address } as const satisfies Record<
  Family,
  Address
>;

/** MAC of every host end. A constant, so that a pod moved or restored finds its gateway's neighbour entry still right. */
export const HOST_MAC = "ee:ee:ee:ee:ee:ee" as Mac;

/** The type has no fields of its own. */
export type PtpSpec = Readonly<Record<string, never>>;

export const ptp: Kind<PtpSpec> = {
  parse: () => ({}),
  desired(_spec, attached): Built {
    const routes = podRoutes(attached);
    return {
      facts: [...links(attached), ...podSide(attached, routes), ...hostSide(attached), ...portSide(attached)],
      shared: [],
      ips: attached.addresses.map(({ address }) => ({
        address: hostPrefix(addressOf(address)),
        gateway: GATEWAY[family(address)],
      })),
      routes,
      hostInterfaces: [{ name: attached.hostLink, mac: HOST_MAC, mtu: attached.mtu }],
      guard: "inet",
      shapedLink: attached.hostLink,
    };
  },
};

/**
 * The configured routes, or the default route of each family. On a pair of links the host is the only neighbour: a
 * gateway that the configuration names is reached through it like everything else. Routes of a family in which the pod
 * has no address are left out.
 */
function podRoutes({ addresses, routes }: Attached): PodRoute[] {
  const families = familiesOf(addresses);
  return (routes ?? withDefaults([], families))
    .filter((r) => families.includes(family(r.to)))
    .map(({ via: _, ...r }) => through(r, GATEWAY[family(r.to)]));
}

const links = ({ hostLink, ifname, alias, mac, mtu, published }: Attached): Fact[] => [
  {
    type: "link",
    at: "pod",
    name: ifname,
    kind: "veth",
    up: true,
    mtu,
    mac,
    peer: { at: "host", name: hostLink },
  },
  {
    type: "link",
    at: "host",
    name: hostLink,
    kind: "veth",
    up: true,
    mtu,
    mac: HOST_MAC,
    alias,
    peer: { at: "pod", name: ifname },
    noIpv6LinkLocal: true,
    ...(published ? { routeLocalnet: true } : {}),
  },
];

function podSide({ addresses, ifname }: Attached, routes: readonly PodRoute[]): Fact[] {
  const families = familiesOf(addresses);
  return [
    ...addresses.map(
      ({ address }): Fact => ({
        type: "address",
        at: "pod",
        link: ifname,
        address: hostPrefix(addressOf(address)),
        noPrefixRoute: true,
      }),
    ),
    ...families.map(
      (f): NeighbourFact => ({ type: "neighbour", at: "pod", link: ifname, address: GATEWAY[f], mac: HOST_MAC }),
    ),
    // No prefix of the pod holds the IPv4 gateway; a link-local IPv6 gateway is on the link by definition.
    ...routes.map((r): RouteFact => ({ ...podRoute(r, ifname), ...(r.via === GATEWAY[4] ? { onlink: true } : {}) })),
  ];
}

const hostSide = ({ addresses, hostLink, mac }: Attached): Fact[] =>
  addresses
    .map(({ address }) => addressOf(address))
    .flatMap((address): Fact[] => [
      { type: "route", at: "host", to: hostPrefix(address), link: hostLink },
      { type: "neighbour", at: "host", link: hostLink, address, mac },
    ]);

const portSide = ({ addresses, hostLink, published }: Attached): Fact[] =>
  published
    ? [
        localnetElement(hostLink),
        ...hairpinElements(
          hostLink,
          addresses.map((a) => addressOf(a.address)),
        ),
      ]
    : [];
