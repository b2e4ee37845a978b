/** What a node says of itself to the others: where it is, and which ways lead to it. */
import { type Address, addressOf, contains, networkOf, type Prefix } from "#lib/address.ts";
import type { NodeRecord, Way } from "#lib/cluster/records.ts";
import type { Cluster as ClusterConfig } from "#lib/config/cluster.ts";
import type { NodeFacts } from "#lib/kernel/kernel.ts";
import type { FeatureName } from "#lib/state/features.ts";

/** What this node can be the other end of: its kernel, and what stands in for it. */
export function waysOf(present: ReadonlySet<FeatureName>, { wireguard: { program } }: ClusterConfig): Way[] {
  const has = (way: "vxlan" | "gre" | "wireguard") =>
    present.has(way) || (way === "wireguard" && program !== undefined);
  return ["direct", ...(["vxlan", "gre", "wireguard"] as const).filter(has)];
}

/** Where a node is: the addresses that are configured, or those of the link of its default route. */
export function placeOf(
  { networks, uplink }: NodeFacts,
  { node, egress }: Pick<ClusterConfig, "node" | "egress">,
): Pick<NodeRecord, "addresses" | "segments" | "mtuBytes"> {
  const wandering = new Set(egress.flatMap((each) => each.addresses));
  const found = networks
    .filter(({ link }) => link === uplink)
    .map(({ address }) => addressOf(address))
    .filter((address) => !wandering.has(address));
  const addresses = node.addresses.length > 0 ? node.addresses : found;
  const mtus = networks.flatMap(({ address, mtuBytes }) => (addresses.includes(addressOf(address)) ? [mtuBytes] : []));
  return {
    addresses,
    ...(mtus.length === 0 ? {} : { mtuBytes: Math.min(...mtus) }),
    segments: segmentsOf(networks, addresses),
  };
}

const segmentsOf = (networks: NodeFacts["networks"], addresses: readonly Address[]): Prefix[] => [
  ...new Set(
    networks
      .map(({ address }) => networkOf(address))
      .filter((network) => addresses.some((address) => contains(network, address))),
  ),
];
