import { expect, test } from "@jest/globals";
import type { SeenPeer } from "#lib/kernel/wireguard/device.ts";
import { handshakes } from "./handshakes.ts";

const seen = (publicKey: string, lastHandshakeSeconds?: number): SeenPeer => ({
  publicKey,
  allowed: [],
  rxBytes: 0,
  txBytes: 0,
  ...(lastHandshakeSeconds === undefined ? {} : { lastHandshakeSeconds }),
});
const SEEN = [seen("old", 1_700_000_000), seen("new", 1_700_000_060), seen("quiet")];
const kernelOf = (peers: readonly SeenPeer[]) => ({
  asked: [] as string[],
  async wireguardPeers(link: string) {
    this.asked.push(link);
    return peers;
  },
});
const withKeys = (...publicKeys: string[]) => ({ wireguard: { publicKeys, port: 51_820 } });

const CASES: [name: string, peer: Parameters<Awaited<ReturnType<typeof handshakes>>>[0], shown: string][] = [
  ["the newest of its keys", withKeys("new", "old"), "2023-11-14T22:14:20Z"],
  ["the one of its only key", withKeys("old"), "2023-11-14T22:13:20Z"],
  ["a key that has heard nobody yet", withKeys("quiet"), ""],
  ["a key that the device does not have", withKeys("other"), ""],
  ["no WireGuard there", {}, ""],
];
test("there are cases", () => expect(CASES.length).toBeGreaterThan(0));

test.each(CASES)("%s", async (_name, peer, shown) => {
  const kernel = kernelOf(SEEN);
  const handshakeOf = await handshakes(kernel, withKeys("mine"));
  expect(handshakeOf(peer)).toBe(shown);
  expect(kernel.asked).toEqual(["swg0"]);
});

test("a node without keys does not ask the kernel", async () => {
  const kernel = kernelOf(SEEN);
  const handshakeOf = await handshakes(kernel, {});
  expect(handshakeOf(withKeys("old"))).toBe("");
  expect(kernel.asked).toEqual([]);
});
