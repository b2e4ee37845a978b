/** A node's key is replaced under load: nothing is readable on the wire, and no stream ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import { keyInUse } from "#lib/cluster/key-rotation.ts";
import type { WireguardOptions } from "#lib/kernel/linux/wireguard.ts";
import { eventually } from "../../conformance/program.ts";
import { capture } from "../attach/capture.ts";
import { echoStream } from "../support/echo-stream.ts";
import { PUBLIC_KEYS } from "../support/keys.ts";
import {
  decide,
  ensure,
  isWhole,
  type Keys,
  type Name,
  podNamespace,
  podOf,
  type Setting,
  type WayNode,
  withNodes,
} from "./rig.ts";

/** How often the daemon looks while somebody changes a key. */
const LOOK_MS = 200;

/** What the daemon does about keys of others. */
async function listen(node: WayNode, nodes: readonly WayNode[], setting: Setting): Promise<void> {
  for (const { publicKey, lastHandshakeSeconds } of await node.kernel.wireguardPeers("swg0"))
    if (lastHandshakeSeconds !== undefined) node.heard.set(publicKey, lastHandshakeSeconds);
  await decide(nodes, setting);
  await ensure(node);
}

/** n1 takes another key while two streams run, and the wire shows nodes alone. */
export async function rotate(options: { readonly keys: Keys; readonly wireguard: (name: Name) => WireguardOptions }) {
  const setting: Setting = { way: "wireguard", underlay: 4, encrypt: false };
  const [old, , , next] = PUBLIC_KEYS;
  await withNodes(
    setting,
    async (nodes) => {
      const [n1, n2] = nodes;
      if (n1 === undefined || n2 === undefined) throw new Error("no nodes");
      await using wire = await capture("router");
      const between = (from: Name, to: Name) =>
        echoStream({ from: podNamespace(from), to: podNamespace(to), address: podOf(to, 4) });
      await using there = await between("n1", "n2");
      await using back = await between("n2", "n1");
      const told = async (publicKeys: readonly string[]) => {
        n1.record = { ...n1.record, wireguard: { publicKeys, port: 51_830 } };
        await decide(nodes, setting);
        for (const node of nodes) await ensure(node);
      };
      await sleep(1_500);
      await told([next, old]);
      await sleep(1_000);
      n1.active = next;
      await decide(nodes, setting);
      await ensure(n1);
      const switchedAt = performance.now();
      while (keyInUse([next, old], (key) => n2.heard.get(key)) !== next && performance.now() - switchedAt < 60_000) {
        await sleep(LOOK_MS);
        await listen(n2, nodes, setting);
      }
      expect(keyInUse([next, old], (key) => n2.heard.get(key))).toBe(next);
      await told([next]);
      const [before, beforeBack] = [there.heard, back.heard];
      await eventually(
        "both go on",
        async () => (there.heard - before > 5 && back.heard - beforeBack > 5) || undefined,
      );
      expect([there.ended, back.ended]).toEqual([null, null]);
      for (const node of nodes) expect(await isWhole(node)).toBe(true);
      const seen = await wire.seen();
      expect(seen.some((line) => line.includes("192.0.2.1 192.0.2.2"))).toBe(true);
      expect(seen.filter((line) => /10\.66\.|fd00:66:/.test(line))).toEqual([]);
    },
    options,
  );
}
