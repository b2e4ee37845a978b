/**
 * What breaks between the nodes, each with a hundred pings in a second over it. Where the packets do not depend on what
 * broke nothing is lost; else it is repaired within two seconds. The figures go to a table.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers, type Loss, ping100 } from "./ping.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { cable } from "./wire.ts";

const runs = needing(...RIG);
/** Longest time without an answer where the kernel's state is lost, ms. */
const REPAIR_MS = 2_000;
const TABLE = join(import.meta.dirname, "..", "..", "bench", "results", "cluster-faults.md");

let rig: Rig;
let pods: Record<"a" | "b" | "c", Pod>;
const figures: [fault: string, path: string, Loss][] = [];

beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4 });
  const { a, b, c } = rig.nodes;
  pods = { a: await a.add("cl-f-a"), b: await b.add("cl-f-b"), c: await c.add("cl-f-c") };
  for (const [from, to] of [
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
  ] as const)
    await eventually("all reach all", async () => (await answers(pods[from], pods[to], 4)) || undefined, 20_000);
}, 120_000);

afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  if (figures.length === 0) return;
  mkdirSync(join(TABLE, ".."), { recursive: true });
  const rows = figures.map(
    ([fault, path, { sent, lost, longestMs }]) => `| ${fault} | ${path} | ${sent} | ${lost} | ${longestMs} |`,
  );
  writeFileSync(
    TABLE,
    ["| fault | path | sent | lost | longest gap, ms |", "|---|---|---|---|---|", ...rows, ""].join("\n"),
  );
});

/** Pings by a tunnel (a to b) and directly (b to c) while something happens. */
async function during(fault: string, work: () => Promise<void>): Promise<readonly [tunnel: Loss, direct: Loss]> {
  const streams = [ping100(pods.a, pods.b, 4), ping100(pods.b, pods.c, 4)] as const;
  await sleep(500);
  await work();
  const losses = [await streams[0].stop(), await streams[1].stop()] as const;
  figures.push([fault, "tunnel", losses[0]], [fault, "direct", losses[1]]);
  return losses;
}

runs(
  "etcd away: nothing is lost, pods come and go, and what they were is known when it is back",
  async () => {
    const { a, b } = rig.nodes;
    const [tunnel, direct] = await during("etcd away for 10 s", async () => {
      await rig.etcd.stop();
      await sleep(10_000);
      const late = await a.add("cl-late");
      await eventually(
        "a pod that came meanwhile is reached",
        async () => (await answers(pods.b, late, 4)) || undefined,
      );
      await a.del("cl-late");
      await rig.etcd.start();
    });
    expect([tunnel.lost, direct.lost]).toEqual([0, 0]);
    await eventually(
      "all are heard of again",
      async () => {
        const { nodes } = (await b.ctl("nodes")) as { nodes: { heardOf: boolean }[] };
        return nodes.every(({ heardOf }) => heardOf) || undefined;
      },
      20_000,
    );
  },
  90_000,
);

runs(
  "SIGKILL of each daemon in turn: nothing is lost",
  async () => {
    const [tunnel, direct] = await during("SIGKILL and start of every daemon", async () => {
      for (const node of Object.values(rig.nodes)) {
        await node.daemon.kill();
        // Longer than its lease: to the store, and to probes, it is as good as dead.
        await sleep(node.name === "b" ? 6_000 : 0);
        await node.daemon.start();
      }
    });
    expect([tunnel.lost, direct.lost]).toEqual([0, 0]);
  },
  120_000,
);

runs(
  "a daemon that starts without the store goes on with what it knew",
  async () => {
    const [tunnel, direct] = await during("start without etcd", async () => {
      await rig.etcd.stop();
      await rig.nodes.b.daemon.kill();
      await rig.nodes.b.daemon.start();
      await sleep(2_000);
      await rig.etcd.start();
    });
    expect([tunnel.lost, direct.lost]).toEqual([0, 0]);
  },
  90_000,
);

const LOST: [what: string, ...argv: string[]][] = [
  ["ip link del of the tunnel", "ip", "link", "del", "svx4"],
  [
    "flush of forwarding entries",
    "sh",
    "-c",
    "bridge fdb show dev svx4 | while read -r mac rest; do bridge fdb del $mac dev svx4; done",
  ],
  ["flush of our routes", "ip", "route", "flush", "proto", "83"],
  ["flush of neighbours", "ip", "neigh", "flush", "nud", "permanent", "dev", "svx4"],
  ["flush of nftables", "nft", "flush", "ruleset"],
];
test("there are things to lose", () => expect(LOST.length).toBeGreaterThan(0));

runs.each(LOST)(
  "%s is repaired within two seconds",
  async (what, ...argv) => {
    const [tunnel, direct] = await during(what, async () => {
      await rig.nodes.b.on(...argv);
      await sleep(4_000);
    });
    expect(Math.max(tunnel.longestMs, direct.longestMs)).toBeLessThanOrEqual(REPAIR_MS);
    for (const [from, to] of [
      ["a", "b"],
      ["b", "c"],
    ] as const)
      expect(await answers(pods[from], pods[to], 4)).toBe(true);
  },
  30_000,
);

runs(
  "a node that is cut off is refused to senders, and reached again when it is back",
  async () => {
    await cable("b", false);
    const dead = async () => {
      const { peers } = (await rig.nodes.a.ctl("peers", "b")) as { peers: { liveness: string }[] };
      return peers[0]?.liveness === "dead" || undefined;
    };
    await eventually("it is dead", dead, 20_000);
    expect(await rig.nodes.a.on("ip", "route", "show", "table", "main", "type", "unreachable")).toContain(
      "10.66.0.0/16",
    );
    await expect(rig.nodes.a.on("ip", "route", "get", pods.b.address[4])).rejects.toThrow("No route to host");
    await cable("b", true);
    await eventually("it is reached again", async () => (await answers(pods.a, pods.b, 4)) || undefined, 20_000);
    await eventually("and directly", async () => (await answers(pods.b, pods.c, 4)) || undefined, 20_000);
  },
  90_000,
);
