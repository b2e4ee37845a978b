/** WireGuard between the nodes, of the kernel or not: `selvedgectl peers` tells when each last made sure of the other. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { PeerList } from "#proto/selvedge_pb.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { PROGRAM } from "../ways/userspace.ts";
import { fits } from "./ping.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";

const runs = needing(...RIG, { file: PROGRAM });
let rig: Rig;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, cluster: { way: "wireguard", wireguard: { program: PROGRAM } } });
}, 120_000);
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

runs(
  "after a ping of pods, both nodes tell the time of their handshake",
  async () => {
    const { a, b } = rig.nodes;
    const startedMs = Math.floor(Date.now() / 1_000) * 1_000 - 120_000;
    const [from, to] = await Promise.all([a.add("cl-shake-a"), b.add("cl-shake-b")]);
    await eventually("a's pod reaches b's", async () => (await fits(from, to, 4, to.mtu)) || undefined);
    for (const [node, other] of [
      [a, "b"],
      [b, "a"],
    ] as const) {
      const { peers } = (await node.ctl("peers", other)) as PeerList;
      expect(peers.map(({ name, ways }) => [name, ways[0]?.way])).toEqual([[other, "wireguard"]]);
      const shown = peers[0]?.lastHandshake ?? "";
      expect(shown).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Date.parse(shown)).toBeGreaterThanOrEqual(startedMs);
      expect(Date.parse(shown)).toBeLessThanOrEqual(Date.now());
    }
  },
  60_000,
);
