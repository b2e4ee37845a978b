/**
 * A tenant's uplink: a pair of links between the node and the tenant's router. Everything that crosses it carries
 * addresses of the node's own: the router translates what its pods send, so addresses that overlap never reach the node,
 * and the node drops whatever says otherwise.
 */
import { createHash } from "node:crypto";
import { anyPrefix, type Mac, type Prefix, withLength } from "#lib/address.ts";
import { element } from "#lib/state/element.ts";
import type { Fact } from "#lib/state/fact.ts";
import { guardElements } from "./guard.ts";
import { PAIR_LENGTH, type Transfer } from "./transfer.ts";

/** Of every pair between the node and a router, whose two ends see nobody else. */
const NODE_MAC = "ee:ee:ee:ee:ee:ee" as Mac;
export const ROUTER_MAC = "ee:ee:ee:ee:ee:ed" as Mac;

/** The router's end; in the router it is always called so. */
export const UPLINK = "uplink0";

/** 44 bits of a name. */
export const shortOf = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 11);

/** The node's end, 13 bytes. */
export const uplinkName = (tenant: string): string => `st${shortOf("tenant", tenant)}`;

/** Links between hosts: uplinks, peerings and segments. */
export const isJointLink = (name: string): boolean => name === UPLINK || /^s[tpx][0-9a-f]{11}$/.test(name);

export interface Uplink {
  readonly tenant: string;
  readonly transfer: Transfer;
  /** Bytes. */
  readonly mtu: number;
}

/** `host` is the node, `pod` the router. */
export function uplinkFacts({ tenant, transfer, mtu }: Uplink): Fact[] {
  const link = uplinkName(tenant);
  return [
    {
      type: "link",
      at: "host",
      name: link,
      kind: "veth",
      up: true,
      mtu,
      mac: NODE_MAC,
      alias: `selvedge tenant ${tenant}`,
      peer: { at: "pod", name: UPLINK },
      noIpv6LinkLocal: true,
      // The node's 127.0.0.1 reaches host ports of the tenant's pods.
      routeLocalnet: true,
    },
    {
      type: "link",
      at: "pod",
      name: UPLINK,
      kind: "veth",
      up: true,
      mtu,
      mac: ROUTER_MAC,
      peer: { at: "host", name: link },
      noIpv6LinkLocal: true,
    },
    ...transfer.flatMap(({ family, node, router }): Fact[] => [
      { type: "address", at: "host", link, address: withLength(node, PAIR_LENGTH[family]) },
      { type: "address", at: "pod", link: UPLINK, address: withLength(router, PAIR_LENGTH[family]) },
      { type: "neighbour", at: "host", link, address: router, mac: ROUTER_MAC },
      { type: "neighbour", at: "pod", link: UPLINK, address: node, mac: NODE_MAC },
      { type: "route", at: "pod", to: anyPrefix(family), link: UPLINK, via: node },
      // A pod that reaches a host port of its own tenant by the node's address.
      element("inet", family === 4 ? "hairpin4" : "hairpin6", [link, router]),
    ]),
    element("inet", "uplinks", [link]),
    element("inet", "localnet", [link]),
    ...guardElements({ guard: "inet", link, mac: ROUTER_MAC, addresses: transfer.map(({ router }) => router) }),
  ];
}

/** What the chains of the node need to know of all uplinks. */
export interface Uplinks {
  readonly transferRanges: readonly Prefix[];
  readonly probeRanges: readonly Prefix[];
}
