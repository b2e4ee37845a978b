/**
 * `bridge`: pods of one node on one Ethernet segment, VLAN-unaware, with the node as an optional gateway.
 */
import {
  type Address,
  addressOf,
  type Family,
  family,
  fromNumber,
  lengthOf,
  networkOf,
  type Prefix,
  rangeOf,
  withLength,
} from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Fact, RouteFact } from "#lib/state/fact.ts";
import { familiesOf, podRoute, through, withDefaults } from "../families.ts";
import type { Attached, Built, Kind, PodAddress, PodRoute } from "../kind.ts";
import { hairpinElements, localnetElement } from "../localnet.ts";
import { bridgeAlias, bridgeMac, portMac } from "../names.ts";
import { type BridgeSpec, parse } from "./spec.ts";

export const bridge: Kind<BridgeSpec> = {
  parse,
  addressless: (spec) => spec.disabled,
  desired(spec, attached): Built {
    if (spec.disabled && attached.addresses.length > 0)
      throw new SelvedgeError(
        { kind: "config-invalid", field: "disableContainerInterface" },
        "disableContainerInterface: a link that stays down has no address, but the pool gave one",
      );
    const addresses = spec.isGateway ? attached.addresses.map(withGateway) : attached.addresses;
    const routes = podRoutes(spec, attached.routes, addresses);
    const mac = portMac(attached);
    return {
      facts: [
        ...links(spec, attached),
        ...podSide(attached.ifname, addresses, routes),
        ...(spec.isGateway
          ? hairpinElements(
              spec.bridge,
              addresses.map((a) => addressOf(a.address)),
            )
          : []),
      ],
      shared: bridgeSide(spec, addresses),
      ips: addresses,
      routes,
      hostInterfaces: [
        { name: spec.bridge, mac: bridgeMac(spec.bridge), mtu: attached.mtu },
        { name: attached.hostLink, mac, mtu: attached.mtu },
      ],
      guard: "bridge",
      shapedLink: attached.hostLink,
      ...(spec.spoofProtection === undefined ? {} : { spoofProtection: spec.spoofProtection }),
    };
  },
};

/** Without a gateway of the pool's, the first address of the subnet, as the reference plugin has it. */
function withGateway({ address, gateway }: PodAddress): Required<PodAddress> {
  return { address, gateway: gateway ?? fromNumber(rangeOf(address).first + 1n, family(address)) };
}

const gatewayOf = (addresses: readonly PodAddress[], f: Family): Address | undefined =>
  addresses.find((a) => family(a.address) === f && a.gateway !== undefined)?.gateway;

/** Configured routes without a gateway go by the pool's gateway of their family, where there is one. */
function podRoutes(spec: BridgeSpec, routes: readonly PodRoute[], addresses: readonly PodAddress[]): PodRoute[] {
  const families = familiesOf(addresses);
  return (spec.isDefaultGateway ? withDefaults(routes, families) : routes)
    .filter((r) => families.includes(family(r.to)))
    .map((r) => through(r, gatewayOf(addresses, family(r.to))));
}

/**
 * Where br_netfilter is on, the bridge itself turns a pod's packets to its own host port around, and without hairpin it would
 * drop them. Together with a promiscuous bridge hairpin doubles frames.
 */
const bouncesPorts = (spec: BridgeSpec, { published }: Attached): boolean => published && !spec.promiscuous;

const links = (spec: BridgeSpec, attached: Attached): Fact[] => [
  {
    type: "link",
    at: "pod",
    name: attached.ifname,
    kind: "veth",
    up: !spec.disabled,
    mtu: attached.mtu,
    mac: attached.mac,
    peer: { at: "host", name: attached.hostLink },
  },
  {
    type: "link",
    at: "host",
    name: attached.hostLink,
    kind: "veth",
    up: true,
    mtu: attached.mtu,
    mac: portMac(attached),
    alias: attached.alias,
    peer: { at: "pod", name: attached.ifname },
    master: spec.bridge,
    ...(spec.hairpin || bouncesPorts(spec, attached) ? { hairpin: true } : {}),
    noIpv6LinkLocal: true,
  },
];

/** The route to the subnet is a fact of its own, so that it is checked and repaired like every other. */
function podSide(link: string, addresses: readonly PodAddress[], routes: readonly PodRoute[]): Fact[] {
  const subnets = new Map(
    addresses.map(({ address }): [string, RouteFact] => {
      const to = networkOf(address);
      return [to, { type: "route", at: "pod", to, link }];
    }),
  );
  return [
    ...addresses.map(
      ({ address }): Fact => ({ type: "address", at: "pod", link, address, announce: true, noPrefixRoute: true }),
    ),
    ...subnets.values(),
    ...routes.map((r) => podRoute(r, link)),
  ];
}

/**
 * The bridge, its addresses, and what translated traffic on it needs. All of it follows from the configuration alone,
 * whether or not an attachment publishes a port, so that attachments never disagree. The MTU is left to the kernel,
 * which takes the smallest of the ports'.
 */
const bridgeSide = (spec: BridgeSpec, addresses: readonly PodAddress[]): Fact[] => [
  {
    type: "link",
    at: "host",
    name: spec.bridge,
    kind: "bridge",
    up: true,
    mac: bridgeMac(spec.bridge),
    alias: bridgeAlias(spec.bridge),
    ...(spec.promiscuous ? { promiscuous: true } : {}),
    noIpv6LinkLocal: true,
    ...(spec.isGateway ? { routeLocalnet: true } : {}),
  },
  ...(spec.isGateway ? gatewaySide(spec.bridge, addresses) : []),
];

/**
 * The bridge's own link-local address: it has to ask for a pod's MAC on behalf of others (RFC 4861 section 7.2.2), and
 * one that the kernel made would be tentative for a second or two.
 */
const LINK_LOCAL = "fe80::1/64" as Prefix;

function gatewaySide(link: string, addresses: readonly PodAddress[]): Fact[] {
  const asking = familiesOf(addresses).includes(6) ? [LINK_LOCAL] : [];
  const held = new Set([
    ...asking,
    ...addresses.flatMap(({ address, gateway }) =>
      gateway === undefined ? [] : [withLength(gateway, lengthOf(address))],
    ),
  ]);
  return [...[...held].map((address): Fact => ({ type: "address", at: "host", link, address })), localnetElement(link)];
}
