/** Peers of the fake's wireguard devices. */
import type { WireguardPeerFact } from "#lib/state/fact.ts";
import { deviceOf, type Network } from "./device.ts";
import { refusal } from "./refusal.ts";

/** An address is believed of one peer: the latest that is told so. @throws SelvedgeError kernel ENODEV, EOPNOTSUPP */
export function ensurePeer(network: Network, fact: WireguardPeerFact): void {
  const call = `wg set ${fact.link} peer ${fact.publicKey}`;
  const device = deviceOf(network, fact.link, call);
  if (device.kind !== "wireguard") throw refusal(call, "EOPNOTSUPP");
  for (const [key, peer] of device.peers)
    device.peers.set(key, { ...peer, allowed: peer.allowed.filter((each) => !fact.allowed.includes(each)) });
  device.peers.set(fact.publicKey, fact);
}
