/**
 * The store and the daemons fail, with pings and a long connection over it. Pods' packets depend on neither: nothing is
 * lost. The figures go to a table.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { BUILT, DAEMON, OTHER_DAEMON } from "../../conformance/daemon.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers } from "./ping.ts";
import { NAMES } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { type Watched, watch } from "./watched.ts";

const runs = needing(...RIG, { file: join(BUILT, "selvedged") });
/** `npm run test:cluster -- --long` keeps etcd away for five minutes. */
const AWAY_S = process.env.SELVEDGE_LONG === undefined ? 30 : 300;

let rig: Rig;
let pods: Record<"a" | "b" | "c", Pod>;
let watched: Watched;

beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4 });
  const { a, b, c } = rig.nodes;
  pods = { a: await a.add("cl-f-a"), b: await b.add("cl-f-b"), c: await c.add("cl-f-c") };
  const paths = [
    { name: "a to b, tunnel", from: pods.a, to: pods.b },
    { name: "b to c, direct", from: pods.b, to: pods.c },
  ];
  watched = await watch("store", paths);
});

afterAll(async () => {
  await watched?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

/** @throws when anything was lost */
async function losingNothing(fault: string, work: () => Promise<void>): Promise<void> {
  const seen = await watched.during(fault, work);
  expect(seen.map(({ path, lost, isStreaming }) => ({ path, lost, isStreaming }))).toEqual([
    { path: "a to b, tunnel", lost: 0, isStreaming: true },
    { path: "b to c, direct", lost: 0, isStreaming: true },
  ]);
}

const allHeardOf = (by: "a" | "b" | "c") =>
  eventually(`all are heard of by ${by}`, async () => {
    const { nodes } = (await rig.nodes[by].ctl("nodes")) as { nodes: { heardOf: boolean }[] };
    return (nodes.length === NAMES.length && nodes.every(({ heardOf }) => heardOf)) || undefined;
  });

runs(
  "etcd away: pods come and go, and what they were is known when it is back",
  async () => {
    const { a } = rig.nodes;
    await losingNothing(`etcd away for ${AWAY_S} s`, async () => {
      await rig.etcd.stop();
      await sleep(AWAY_S * 1_000);
      const late = await a.add("cl-late");
      await eventually("it is reached", async () => (await answers(pods.b, late, 4)) || undefined);
      await a.del("cl-late");
      await rig.etcd.start();
    });
    await allHeardOf("b");
  },
  AWAY_S * 1_000 + 90_000,
);

runs("etcd that has forgotten the revision that a node has seen last: the node learns what it missed", async () => {
  const { a, b } = rig.nodes;
  await b.ctl("reserve", "vm:missed");
  await losingNothing("etcd restarted from a compacted revision", async () => {
    await rig.etcd.cut("a", true);
    const moved = await b.add("cl-f-missed", { args: { cni: { reservation: "vm:missed" } } });
    await rig.etcd.compact();
    await rig.etcd.cut("a", false);
    await allHeardOf("a");
    await eventually("a reaches it", async () => (await answers(pods.a, moved, 4)) || undefined);
    await b.del("cl-f-missed");
  });
  expect(a.daemon.log()).toContain('"event":"store-away"');
});

runs(
  "SIGKILL of each daemon in turn",
  () =>
    losingNothing("SIGKILL and start of every daemon", async () => {
      for (const node of Object.values(rig.nodes)) {
        await node.daemon.kill();
        // Longer than its lease: to the store, and to probes, it is as good as dead.
        await sleep(node.name === "b" ? 6_000 : 0);
        await node.daemon.start();
      }
    }),
  120_000,
);

runs(
  "another build on each node in turn, and back",
  async () => {
    const versions = async () => {
      const { nodes } = (await rig.nodes.a.ctl("nodes")) as { nodes: { version: string }[] };
      return new Set(nodes.map(({ version }) => version));
    };
    const before = await versions();
    for (const [fault, program] of [
      ["upgrade of every daemon", OTHER_DAEMON],
      ["downgrade of every daemon", DAEMON],
    ] as const) {
      await losingNothing(fault, async () => {
        for (const node of Object.values(rig.nodes)) await node.daemon.replace(program);
      });
      const told = await eventually("all have told of it", async () => {
        const now = await versions();
        return now.size === 1 ? now : undefined;
      });
      expect(told.isDisjointFrom(before)).toBe(program !== DAEMON);
    }
  },
  180_000,
);

runs(
  "a daemon that starts without the store goes on with what it knew",
  () =>
    losingNothing("start without etcd", async () => {
      await rig.etcd.stop();
      await rig.nodes.b.daemon.kill();
      await rig.nodes.b.daemon.start();
      await sleep(2_000);
      await rig.etcd.start();
    }),
  90_000,
);
