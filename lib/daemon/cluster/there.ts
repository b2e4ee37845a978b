/** The records of nodes as lib/datapath/ways takes them. */
import type { NodeRecord } from "#lib/cluster/records.ts";
import { isEncrypted } from "#lib/cluster/ways.ts";
import type { ClusterWays } from "#lib/config/cluster.ts";
import type { Here, There } from "#lib/datapath/ways/ends.ts";

/** `active`: public half of the WireGuard key in use. */
export function hereOf(own: NodeRecord, ways: ClusterWays, active: string | undefined): Here {
  const { vxlan, gre, flowOffload } = ways;
  const { addresses, tunnelAddresses, tunnelMac, wireguard } = own;
  return {
    addresses,
    tunnelAddresses,
    tunnelMac,
    vxlan,
    gre,
    encrypt: isEncrypted(ways),
    flowOffload,
    ...(wireguard === undefined || active === undefined
      ? {}
      : { wireguard: { publicKey: active, port: wireguard.port } }),
  };
}

/** `active`: the key that the peer uses. */
export function thereOf(
  peer: NodeRecord,
  {
    prefixes,
    ways,
    answers,
    active,
  }: Pick<There, "prefixes" | "ways" | "answers"> & {
    readonly active: string | undefined;
  },
): There {
  const { name, addresses, tunnelAddresses, tunnelMac, wireguard } = peer;
  const others = wireguard?.publicKeys.filter((key) => key !== active) ?? [];
  return {
    name,
    addresses,
    tunnelAddresses,
    tunnelMac,
    ...(wireguard === undefined || active === undefined ? {} : { wireguard: { active, others, port: wireguard.port } }),
    prefixes,
    ways,
    answers,
  };
}
