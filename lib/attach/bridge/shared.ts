/** What all attachments of one bridge want together. */
import { lengthOf, type Prefix, withLength } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import { familiesOf } from "../families.ts";
import type { PodAddress } from "../kind.ts";
import { localnetElement } from "../localnet.ts";
import { bridgeAlias, bridgeMac } from "../names.ts";
import type { BridgeSpec } from "./spec.ts";

/**
 * The bridge, its addresses, and what translated traffic on it needs. All of it follows from the configuration alone,
 * whether or not an attachment publishes a port, so that attachments never disagree. The MTU is left to the kernel,
 * which takes the smallest of the ports'.
 */
export const bridgeSide = (spec: BridgeSpec, addresses: readonly PodAddress[]): Fact[] => [
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
