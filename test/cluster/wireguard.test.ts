/**
 * WireGuard between the nodes: nothing of what pods say can be read on the wire, keys are replaced under load without an
 * end of any connection, and `selvedgectl peers` tells when each node last made sure of the other.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Keys } from "#lib/cluster/key-rotation.ts";
import { sqlite } from "#lib/store/sqlite.ts";
import type { PeerList } from "#proto/selvedge_pb.ts";
import { eventually } from "../../conformance/program.ts";
import { capture } from "../attach/capture.ts";
import { echoStream } from "../support/echo-stream.ts";
import { needing } from "../support/requirement.ts";
import { PROGRAM } from "../ways/userspace.ts";
import type { ClusterNode, Pod } from "./node.ts";
import { fits } from "./ping.ts";
import { addressOf, ROUTER } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";

const runs = needing(...RIG, { file: PROGRAM }, { file: "/usr/bin/python3" });
const TEXT = "what-pods-say";
/** Of each number of a stream: a hundred a second, each there and back. */
const LOAD_BYTES = 4_096;

let rig: Rig;
let pods: Record<"a" | "b", Pod>;
beforeAll(async () => {
  if (runs === test.skip) return;
  const wireguard = { program: PROGRAM, leadSeconds: 2 };
  rig = await makeRig({ underlay: 4, cluster: { way: "wireguard", wireguard } });
  const { a, b } = rig.nodes;
  const [from, to] = await Promise.all([a.add("cl-shake-a"), b.add("cl-shake-b")]);
  pods = { a: from, b: to };
  await eventually("a's pod reaches b's", async () => (await fits(from, to, 4, to.mtu)) || undefined);
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

runs("after a ping of pods, both nodes tell the time of their handshake", async () => {
  const { a, b } = rig.nodes;
  for (const [node, other] of [
    [a, "b"],
    [b, "a"],
  ] as const) {
    const { peers } = (await node.ctl("peers", other)) as PeerList;
    expect(peers.map(({ name, ways }) => [name, ways[0]?.way])).toEqual([[other, "wireguard"]]);
    const shown = peers[0]?.lastHandshake ?? "";
    expect(shown).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(shown)).toBeGreaterThanOrEqual(Date.now() - 180_000);
    expect(Date.parse(shown)).toBeLessThanOrEqual(Date.now());
  }
});

const keysOf = async (name: "a"): Promise<readonly string[]> => {
  const value = await rig.etcd.ctl("get", "--print-value-only", `/selvedge/v1/nodes/${name}`);
  return (JSON.parse(value) as { wireguard: { publicKeys: string[] } }).wireguard.publicKeys;
};

/** As if its key had been in use for long. */
async function letKeyAge({ daemon, store }: ClusterNode): Promise<void> {
  await daemon.stop();
  {
    await using state = await sqlite(store);
    const kept = (await state.load()).own.find(({ name }) => name === "wireguard-keys");
    if (kept === undefined) throw new Error("the node has no key");
    const keys = { ...(JSON.parse(kept.value) as Keys), activeSinceMs: 0 };
    await state.commit([{ put: "own", value: { ...kept, value: JSON.stringify(keys) } }]);
  }
  await daemon.start();
}

runs("a key is replaced under load: every connection goes on, and the wire shows nodes alone", async () => {
  const { a } = rig.nodes;
  const [old] = await keysOf("a");
  const load = { bytes: LOAD_BYTES, fill: TEXT };
  await using there = await echoStream({ from: pods.a.id, to: pods.b.id, address: pods.b.address[4], ...load });
  await using back = await echoStream({ from: pods.b.id, to: pods.a.id, address: pods.a.address[6], ...load });
  await using inPod = await capture(pods.a.id, TEXT);
  await using wire = await capture(ROUTER, TEXT);
  await letKeyAge(a);
  const next = await eventually("only another key is left", async () => {
    const keys = await keysOf("a");
    return keys.length === 1 && keys[0] !== old ? keys[0] : undefined;
  });
  expect(next).not.toBe(old);
  for (const stream of [there, back]) {
    const { heard } = stream;
    await eventually("it goes on", async () => stream.heard > heard + 50 || undefined);
    expect(stream.ended).toBeNull();
  }
  const seen = await wire.seen();
  expect(seen).toContain(`seg1 in ${addressOf("a", 4)} ${addressOf("b", 4)}`);
  expect(seen.filter((line) => /10\.66\.|fd00:66:|text/.test(line))).toEqual([]);
  expect(await inPod.seen()).toContain("eth0 out text");
});
