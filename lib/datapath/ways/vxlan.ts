/**
 * VXLAN (RFC 7348) as point-to-point tunnels on one device: every peer has a MAC address of its own, which leads to its
 * address on the network between the nodes, and the networks of its pods have that MAC address for a next hop. Nothing
 * is flooded, learned or asked for.
 */
import { addressOf, type Family, family } from "#lib/address.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { addressOfFamily, by, type Here, type Stretch, type There, tunnelRoute } from "./ends.ts";
import { vxlanLink } from "./names.ts";
import { underlayRoute } from "./wireguard.ts";

/** Undefined without an address of that family. `mtu`: of the frames' packets, bytes. */
export function vxlanDevice(here: Here, underlay: Family, mtu: number): LinkFact | undefined {
  const local = addressOfFamily(here.encrypt ? here.tunnelAddresses : here.addresses, underlay);
  if (local === undefined) return undefined;
  const { vni: id, port } = here.vxlan;
  return {
    type: "link",
    at: "host",
    name: vxlanLink(underlay),
    kind: "vxlan",
    up: true,
    mtu,
    mac: here.tunnelMac,
    alias: "selvedge way vxlan",
    vxlan: { id, port, local },
    noIpv6LinkLocal: true,
  };
}

/** The next hop of a network is its first address: known to nobody but this device, which has it as a neighbour. */
export function vxlanFacts(here: Here, { tunnelMac: mac }: There, stretch: Stretch): Fact[] {
  const { way, prefixes } = stretch;
  const link = vxlanLink(family(way.to));
  return [
    ...(way.encrypted ? [underlayRoute(here, way)] : []),
    { type: "forward", at: "host", link, mac, to: way.to },
    ...prefixes.flatMap((to): Fact[] => [
      { type: "neighbour", at: "host", link, address: addressOf(to), mac },
      { ...tunnelRoute(here, to, link, way.mtuBytes), ...by(addressOf(to), to), onlink: true },
    ]),
  ];
}
