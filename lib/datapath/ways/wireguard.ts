/**
 * WireGuard (wireguard.com/protocol): one device, on which every peer is known by its key and is believed for the
 * addresses of its pods alone. Other tunnels may run within it, between the nodes' own addresses among pods.
 */
import { type Address, family, hostPrefix, type Prefix } from "#lib/address.ts";
import { type ChosenWay, overheadOf } from "#lib/cluster/ways.ts";
import type { Fact, LinkFact, RouteFact } from "#lib/state/fact.ts";
import { type Here, type Stretch, type There, tunnelRoute } from "./ends.ts";
import { WIREGUARD_LINK } from "./names.ts";

/** Undefined without a key. `mtu`: of the packets inside, bytes. */
export const wireguardDevice = ({ wireguard }: Here, mtu: number): LinkFact | undefined =>
  wireguard && {
    type: "link",
    at: "host",
    name: WIREGUARD_LINK,
    kind: "wireguard",
    up: true,
    mtu,
    alias: "selvedge way wireguard",
    wireguard,
    noIpv6LinkLocal: true,
  };

/** Largest packet within WireGuard, by whatever it is the way to. */
export const mtuWithin = ({ way, to, mtuBytes }: ChosenWay): number =>
  way === "wireguard" ? mtuBytes : mtuBytes + overheadOf(way, family(to));

/** The other end of a tunnel that runs within WireGuard. */
export const underlayRoute = (here: Here, way: ChosenWay): RouteFact =>
  tunnelRoute(here, hostPrefix(way.to), WIREGUARD_LINK, mtuWithin(way));

export const wireguardRoutes = (here: Here, { way, prefixes }: Stretch): RouteFact[] =>
  prefixes.map((to) => tunnelRoute(here, to, WIREGUARD_LINK, way.mtuBytes));

/** The peer's keys: the one that it uses is believed for its addresses, the others can only begin to be used. */
export function wireguardPeers({ wireguard, tunnelAddresses }: There, of: readonly Stretch[]): Fact[] {
  const encrypted = of.filter(({ way }) => way.encrypted);
  const endpoint = encrypted[0]?.way.egress.to;
  if (wireguard === undefined || endpoint === undefined) return [];
  const { active, others, port } = wireguard;
  const prefixes = encrypted.flatMap(({ way, prefixes }) => (way.way === "wireguard" ? prefixes : []));
  const allowed = [...new Set([...prefixes, ...tunnelAddresses.map(hostPrefix)])].sort();
  return [
    peer(active, { address: endpoint, port }, allowed),
    ...others.map((key) => peer(key, { address: endpoint, port }, [])),
  ];
}

const peer = (
  publicKey: string,
  endpoint: { readonly address: Address; readonly port: number },
  allowed: readonly Prefix[],
): Fact => ({ type: "wireguard-peer", at: "host", link: WIREGUARD_LINK, publicKey, endpoint, allowed });
