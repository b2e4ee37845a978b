/** What a node has for the others is taken from its kernel: it is made again within two seconds, and connections last. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { needing } from "../support/requirement.ts";
import { answers } from "./ping.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { type Path, type Watched, watch } from "./watched.ts";

const runs = needing(...RIG);
/** Longest time without an answer, ms. */
const REPAIR_MS = 2_000;
const POD = "cl-l-b";

let rig: Rig;
let paths: Path[];
let watched: Watched;

beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, config: { networks: [{ name: "ruled", policyRouting: true }] } });
  const { a, b, c } = rig.nodes;
  const [from, through, to] = [await a.add("cl-l-a"), await b.add(POD, { network: "ruled" }), await c.add("cl-l-c")];
  paths = [
    { name: "a to b, tunnel", from, to: through },
    { name: "b to c, direct", from: through, to },
  ];
  watched = await watch("kernel", paths);
});

afterAll(async () => {
  await watched?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

const ENTRIES = "bridge fdb show dev svx4 | while read -r mac rest; do bridge fdb del $mac dev svx4; done";
const RULES = `for p in 5300 5301 5302; do while ip -n ${POD} rule del pref $p 2>/dev/null; do :; done; done`;
const LOST: [what: string, ...argv: string[]][] = [
  ["ip link del of the tunnel", "ip", "link", "del", "svx4"],
  ["flush of forwarding entries", "sh", "-c", ENTRIES],
  ["flush of our routes", "ip", "route", "flush", "proto", "83"],
  ["flush of neighbours", "ip", "neigh", "flush", "nud", "permanent", "dev", "svx4"],
  ["flush of the pod's rules", "sh", "-c", RULES],
  ["flush of nftables", "nft", "flush", "ruleset"],
];
test("there are things to lose", () => expect(LOST.length).toBeGreaterThan(0));

runs.each(LOST)("%s", async (what, ...argv) => {
  const rules = () => rig.nodes.b.on("ip", "-n", POD, "rule", "show");
  const before = await rules();
  const seen = await watched.during(what, async () => {
    await rig.nodes.b.on(...argv);
    await sleep(3_000);
  });
  expect(Math.max(...seen.map(({ longestMs }) => longestMs))).toBeLessThanOrEqual(REPAIR_MS);
  expect(seen.map(({ isStreaming }) => isStreaming)).toEqual([true, true]);
  for (const { from, to } of paths) expect(await answers(from, to, 4)).toBe(true);
  expect(before).toContain("lookup 100");
  expect(await rules()).toBe(before);
});
