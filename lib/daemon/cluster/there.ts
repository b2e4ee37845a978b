/** The records of nodes as lib/datapath/ways takes them. */
import type { Prefix } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { ClusterWays } from "#lib/config/config.ts";
import type { Here, There } from "#lib/datapath/ways/ends.ts";

export function hereOf(own: NodeRecord, { vxlan, gre, encrypt }: ClusterWays): Here {
  const { addresses, tunnelAddresses, tunnelMac, wireguard } = own;
  const [publicKey] = wireguard?.publicKeys ?? [];
  return {
    addresses,
    tunnelAddresses,
    tunnelMac,
    vxlan,
    gre,
    encrypt,
    ...(wireguard === undefined || publicKey === undefined ? {} : { wireguard: { publicKey, port: wireguard.port } }),
  };
}

export function thereOf(peer: NodeRecord, prefixes: readonly Prefix[], ways: There["ways"]): There {
  const { name, addresses, tunnelAddresses, tunnelMac, wireguard } = peer;
  const [active, ...others] = wireguard?.publicKeys ?? [];
  return {
    name,
    addresses,
    tunnelAddresses,
    tunnelMac,
    ...(wireguard === undefined || active === undefined ? {} : { wireguard: { active, others, port: wireguard.port } }),
    prefixes,
    ways,
  };
}
