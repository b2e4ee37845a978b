/** A node is cut off and comes back; another one is no more, and a new one has its name. The others feel nothing of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers, ping100 } from "./ping.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { type Watched, watch } from "./watched.ts";
import { block, cable } from "./wire.ts";

const runs = needing(...RIG);
/** From the cable's return to the first answer, ms. */
const BACK_MS = 2_000;

let rig: Rig;
let pods: Record<"a" | "b" | "c", Pod>;
let watched: Watched;

beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, cluster: { graceSeconds: 10 } });
  const { a, b, c } = rig.nodes;
  pods = { a: await a.add("cl-n-a"), b: await b.add("cl-n-b"), c: await c.add("cl-n-c") };
  const paths = [
    { name: "a to c", from: pods.a, to: pods.c },
    { name: "a to b", from: pods.a, to: pods.b },
  ];
  watched = await watch("nodes", paths);
});

afterAll(async () => {
  await watched?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

runs(
  "a node that is cut off is refused to senders; when it is back it is reached at once, and connections go on",
  async () => {
    const { a, b } = rig.nodes;
    const [other, cut] = await watched.during("b cut off and back", async () => {
      await cable("b", false);
      const dead = async () => {
        const { peers } = (await a.ctl("peers", "b")) as { peers: { liveness: string }[] };
        return peers[0]?.liveness === "dead" || undefined;
      };
      await eventually("it is dead", dead);
      expect(await a.on("ip", "route", "show", "table", "main", "type", "unreachable")).toContain("10.66.0.0/16");
      await expect(a.on("ip", "route", "get", pods.b.address[4])).rejects.toThrow("No route to host");
      await b.add("cl-n-alone");
      await b.del("cl-n-alone");
      await cable("b", true);
      const since = ping100(pods.a, pods.b, 4);
      await sleep(BACK_MS + 1_000);
      expect((await since.stop()).longestMs).toBeLessThanOrEqual(BACK_MS);
    });
    expect({ lost: other?.lost, isStreaming: other?.isStreaming }).toEqual({ lost: 0, isStreaming: true });
    expect(cut?.isStreaming).toBe(true);
  },
);

runs("a way that somebody between the nodes blocks is told of, though the nodes answer each other", async () => {
  const reasons = async () => {
    const { peers } = (await rig.nodes.a.ctl("peers")) as {
      peers: { liveness: string; ways: { reason: string }[] }[];
    };
    return peers.map(({ liveness, ways }) => `${liveness}: ${ways[0]?.reason}`);
  };
  const usual = ["alive: not on one segment", "alive: not on one segment"];
  expect(await reasons()).toEqual(usual);
  await block(4_789, true);
  const blocked = /^alive: not on one segment; by it nothing is answered, \d+ times in a row$/;
  await eventually(
    "it is told of",
    async () => (await reasons()).every((reason) => blocked.test(reason)) || undefined,
    20_000,
  );
  await block(4_789, false);
  await eventually(
    "no more",
    async () => (await reasons()).every((reason) => usual.includes(reason)) || undefined,
    20_000,
  );
});

runs(
  "a node is removed and another joins by its name: it has addresses of its own, and what the first had is given up",
  async () => {
    const ownersOf = async (): Promise<string[]> => {
      const values = await rig.etcd.ctl("get", "--prefix", "--print-value-only", "/selvedge/v1/blocks/");
      const blocks = values
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { node: string; uid: string });
      return blocks.filter(({ node }) => node === "b").map(({ uid }) => uid);
    };
    const [before] = await ownersOf();
    const work = () => rig.replace("b");
    const [other] = await watched.during("b removed, another in its place", work, ["a to c"]);
    expect({ lost: other?.lost, isStreaming: other?.isStreaming }).toEqual({ lost: 0, isStreaming: true });
    const pod = await eventually("a pod on it", () => rig.nodes.b.add("cl-n-new"));
    for (const from of [pods.a, pods.c])
      await eventually("it is reached", async () => (await answers(from, pod, 4)) || undefined);
    const after = await eventually("nothing is the first one's any more", async () => {
      const now = new Set(await ownersOf());
      return before !== undefined && !now.has(before) ? now : undefined;
    });
    expect(after.size).toBe(1);
  },
  180_000,
);
