/** When WireGuard last made sure of each of the other nodes. */
import type { NodeRecord } from "#lib/cluster/records.ts";
import { WIREGUARD_LINK } from "#lib/datapath/ways/names.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";

type Keys = Pick<NodeRecord, "wireguard">;

/** Of a peer the newest with any of its keys, as RFC 3339; "" where there was none. @throws SelvedgeError kernel */
export async function handshakes(kernel: Pick<Kernel, "wireguardPeers">, own: Keys): Promise<(peer: Keys) => string> {
  const seen = own.wireguard === undefined ? [] : await kernel.wireguardPeers(WIREGUARD_LINK);
  const seconds = new Map(seen.map(({ publicKey, lastHandshakeSeconds = 0 }) => [publicKey, lastHandshakeSeconds]));
  return ({ wireguard }) => {
    const newest = Math.max(0, ...(wireguard?.publicKeys ?? []).map((key) => seconds.get(key) ?? 0));
    return newest === 0 ? "" : new Date(newest * 1_000).toISOString().replace(".000Z", "Z");
  };
}
