/**
 * A bridge that is one segment with those of other nodes: the end of a VXLAN tunnel is a port of it. Who is behind the
 * tunnel is told by the nodes, never learnt: the tunnel knows to which node each MAC address leads (RFC 7348), the bridge
 * knows that it is behind that port, and itself answers whoever asks for its address (ARP, neighbour discovery). So nothing
 * that is meant for everybody leaves the node.
 */
import type { Address, Family, Mac } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import { type Chain, RAW } from "./chain.ts";
import { shortOf } from "./uplink.ts";
import { betweenNodes, outerPackets } from "./ways/chains.ts";
import { addressOfFamily, type Here } from "./ways/ends.ts";

export interface Stretch {
  readonly network: string;
  /** Whose it is: then the bridge is in the tenant's router, the `pod` of the facts. */
  readonly tenant?: string;
  readonly bridge: string;
  readonly vni: number;
}

/** One for each family of the network between the nodes, 13 bytes. */
export const stretchLink = (network: string, underlay: Family): string =>
  `sx${shortOf("stretch", network, String(underlay))}`;

export interface StretchPort {
  /** UDP. */
  readonly port: number;
  /** Bytes, of the frames' packets. */
  readonly mtu: number;
}

/** The ends of the tunnel, of each family that the node has an address of. The bridge is not among them. */
export const stretchFacts = (
  here: Pick<Here, "addresses" | "tunnelAddresses" | "encrypt">,
  { network, tenant, bridge, vni }: Stretch,
  { port, mtu }: StretchPort,
): Fact[] =>
  ([4, 6] as const).flatMap((underlay): Fact[] => {
    const local = addressOfFamily(here.encrypt ? here.tunnelAddresses : here.addresses, underlay);
    if (local === undefined) return [];
    return [
      {
        type: "link",
        at: placeOf(tenant),
        ...(tenant === undefined ? {} : { underlay: "host" as const }),
        name: stretchLink(network, underlay),
        kind: "vxlan",
        up: true,
        mtu,
        alias: `selvedge stretch ${network}`,
        vxlan: { id: vni, port, local },
        master: bridge,
        quiet: true,
        noIpv6LinkLocal: true,
      },
    ];
  });

/** Where the bridge is. */
export const placeOf = (tenant: string | undefined): Place => (tenant === undefined ? "host" : "pod");

/** Somebody on another node. */
export interface Distant {
  readonly mac: Mac;
  /** Nobody else has the MAC address by now. */
  readonly hasMac: boolean;
  /** Those of its addresses that nobody else has by now. */
  readonly addresses: readonly Address[];
  /** The other end of the tunnel, and the family of the two. */
  readonly to: Address;
  readonly underlay: Family;
}

export function distantFacts(
  { network, tenant, bridge }: Stretch,
  { mac, hasMac, addresses, to, underlay }: Distant,
): Fact[] {
  const link = stretchLink(network, underlay);
  const at = placeOf(tenant);
  return [
    ...(hasMac
      ? ([
          { type: "forward", at, link, mac, to },
          { type: "port-mac", at, link, mac },
        ] as const)
      : []),
    ...addresses.map((address): Fact => ({ type: "neighbour", at, link: bridge, address, mac })),
  ];
}

/** Nobody but the other nodes puts frames into the segments. */
export const stretchChains = (stretches: readonly Stretch[], port: number, encrypted: boolean): Chain[] =>
  stretches.length === 0
    ? []
    : [
        {
          name: "stretch_tunnels",
          called: { by: RAW, when: outerPackets(port, `{ ${stretches.map(({ vni }) => vni).join(", ")} }`) },
          rules: betweenNodes(encrypted),
        },
      ];
