/**
 * `bridge`: pods of one node on one Ethernet segment, or on one VLAN or several of it, with the node as an optional gateway.
 */
import { addressOf, family, fromNumber, rangeOf } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { element } from "#lib/state/element.ts";
import type { Fact } from "#lib/state/fact.ts";
import { familiesOf, withDefaults } from "../families.ts";
import type { Attached, Built, Kind, PodAddress } from "../kind.ts";
import { hairpinElements } from "../localnet.ts";
import { bridgeMac, portMac } from "../names.ts";
import { segmentRoutes, segmentSide } from "../segment.ts";
import { bridgeSide, gatewayLink, portVlans } from "./shared.ts";
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
    const asked = attached.routes ?? [];
    const routes = segmentRoutes(spec.isDefaultGateway ? withDefaults(asked, familiesOf(addresses)) : asked, addresses);
    const mac = portMac(attached);
    return {
      facts: [
        ...links(spec, attached),
        ...portVlans(spec, attached.hostLink),
        ...spec.trunk.map((vid) => element("bridge", "allowed_vlan", [attached.hostLink, String(vid)])),
        ...segmentSide(attached.ifname, addresses, routes),
        ...(spec.isGateway
          ? hairpinElements(
              gatewayLink(spec),
              addresses.map((a) => addressOf(a.address)),
            )
          : []),
      ],
      shared: bridgeSide(spec, addresses, attached.mtu),
      ips: addresses,
      routes,
      hostInterfaces: [
        { name: spec.bridge, mac: bridgeMac(spec.bridge), mtu: attached.mtu },
        ...(spec.isGateway && spec.vlan !== undefined
          ? [{ name: gatewayLink(spec), mac: bridgeMac(gatewayLink(spec)), mtu: attached.mtu }]
          : []),
        { name: attached.hostLink, mac, mtu: attached.mtu },
      ],
      guard: "bridge",
      shapedLink: attached.hostLink,
      // Where the node is the gateway it gives out all addresses; elsewhere the bridge may lead to others.
      underlay: !spec.isGateway,
      ...(spec.spoofProtection === undefined ? {} : { spoofProtection: spec.spoofProtection }),
    };
  },
};

/** Without a gateway of the pool's, the first address of the subnet, as the reference plugin has it. */
function withGateway({ address, gateway }: PodAddress): Required<PodAddress> {
  return { address, gateway: gateway ?? fromNumber(rangeOf(address).first + 1n, family(address)) };
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
