/** What somebody takes away from a way is heard of and made again. */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "@jest/globals";
import type { Change } from "#lib/kernel/kernel.ts";
import { eventually } from "../../conformance/program.ts";
import { run } from "../datapath/iproute.ts";
import { needing } from "../support/requirement.ts";
import { decide, ensure, isWhole, makeWire, passes, removeWire, type Setting, type WayNode, withNodes } from "./rig.ts";

const test = needing("root", { program: "ip" }, { program: "nft" }, { program: "ping" });
const able = process.getuid?.() === 0;
beforeAll(() => (able ? makeWire() : undefined));
afterAll(() => (able ? removeWire() : undefined));

const FAMILIES = { direct: [4], vxlan: [4, 6] } as const;
const FAULTS: readonly [name: string, way: "direct" | "vxlan", command: string][] = [
  ["the device is deleted", "vxlan", "ip link del svx4"],
  ["the device is down", "vxlan", "ip link set svx4 down"],
  ["its entries are flushed", "vxlan", "bridge fdb flush dev svx4"],
  ["its neighbours are flushed", "vxlan", "ip neigh flush dev svx4 nud permanent"],
  ["its routes are flushed", "vxlan", "ip route flush dev svx4"],
  ["the node's own addresses are taken away", "vxlan", "ip addr flush dev selvedge-node"],
  ["the link of the node's own addresses is deleted", "vxlan", "ip link del selvedge-node"],
  ["direct routes are flushed", "direct", "ip route flush proto 0x53"],
  ["the firewall is flushed", "vxlan", "nft flush ruleset"],
];

/** What the daemon's loop does: every change is a reason to look at everything. From when it is let go. */
function repairing(node: WayNode, signal: AbortSignal) {
  let changed = false;
  const watching = node.kernel.watch(() => {
    changed = true;
  }, signal);
  return {
    async go(): Promise<void> {
      while (!signal.aborted) {
        await sleep(50);
        if (!changed) continue;
        changed = false;
        await ensure(node);
      }
      await watching;
    },
  };
}

test.each(FAULTS)("%s (%s)", (_name, way, command) => {
  const setting: Setting = { way, underlay: 4, encrypt: false };
  return withNodes(setting, async (nodes) => {
    const [node] = nodes;
    if (node === undefined) throw new Error("no nodes");
    const end = new AbortController();
    const repairs = repairing(node, end.signal);
    run("n1", command);
    expect(await isWhole(node)).toBe(false);
    const loop = repairs.go();
    await eventually("it is made again", async () => (await isWhole(node)) || undefined);
    end.abort();
    await loop;
    for (const pods of FAMILIES[way]) expect(passes("n1", "n2", pods, 1400)).toBe(true);
  });
});

/** A VXLAN header with the VNI 4096, and no frame (RFC 7348 section 5). */
const HEADER = "\\x08\\x00\\x00\\x00\\x00\\x10\\x00\\x00";
const SENT: readonly [name: string, from: string, to: string, seenBy: string][] = [
  ["a machine that is no node", "router", "192.0.2.2", "n2"],
  ["a pod to its own node", "n1-pod", "192.0.2.1", "n1"],
  ["a pod to another node", "n1-pod", "192.0.2.2", "n1"],
];
test.each(SENT)("what is put into the tunnel by %s is dropped", (_name, from, to, seenBy) =>
  withNodes({ way: "vxlan", underlay: 4, encrypt: false }, async () => {
    const send = (port: number) =>
      execFileSync("ip", ["netns", "exec", from, "bash", "-c", `printf '${HEADER}' >/dev/udp/${to}/${port}`]);
    const dropped = () =>
      [...run(seenBy, "nft list chain inet selvedge ways_tunnels").matchAll(/packets (\d+)/g)].map(([, n]) =>
        Number(n),
      );
    const none = dropped().map(() => 0);
    expect(none.length).toBeGreaterThan(0);
    send(4_790);
    expect(dropped()).toEqual(none);
    send(4_789);
    await eventually("it is dropped", async () => dropped().reduce((a, b) => a + b) === 1 || undefined);
  }),
);

needing(
  "root",
  { program: "ip" },
  { program: "nft" },
  { program: "ping" },
  { program: "conntrack" },
)("connections of pods are tracked, the outer packets are not", () =>
  withNodes({ way: "vxlan", underlay: 4, encrypt: false }, async () => {
    expect(passes("n1", "n2", 4, 1400)).toBe(true);
    expect(run("n1", "conntrack -L -p icmp")).not.toBe("");
    expect(run("n1", "conntrack -L -p udp --orig-port-dst 4789")).toBe("");
  }),
);

test("a device between the nodes that takes smaller packets is heard of, and the ways follow", () => {
  const setting: Setting = { way: "vxlan", underlay: 4, encrypt: false };
  return withNodes(setting, async (nodes) => {
    const [node] = nodes;
    if (node === undefined) throw new Error("no nodes");
    const end = new AbortController();
    const heard: (Change | undefined)[] = [];
    const watching = node.kernel.watch((change) => void heard.push(change), end.signal);
    try {
      run("n1", "ip link set eth0 mtu 1400");
      await eventually("it is heard of", async () => heard.length > 0 || undefined);
      expect(heard[0]).toEqual({ where: "host", link: "eth0" });
      await decide(nodes, setting);
      expect((await ensure(node)).filter((line) => line.startsWith("~"))).toEqual([
        expect.stringContaining("link svx4 vxlan up id 4096 mtu 1350"),
        ...Array.from({ length: 4 }, () => expect.stringMatching(/^~ route .* mtu 1350$/)),
      ]);
      expect(passes("n1", "n2", 4, 1350)).toBe(true);
      expect(passes("n1", "n2", 4, 1351)).toBe(false);
    } finally {
      run("n1", "ip link set eth0 mtu 1500");
      end.abort();
      await watching;
    }
  });
});

test("the tables have rows", () => expect(Math.min(FAULTS.length, SENT.length)).toBeGreaterThan(0));
