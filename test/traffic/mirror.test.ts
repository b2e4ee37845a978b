/** Mirrors on a real kernel: the copies at the analyser, the originals untouched, and every way that a mirror ends. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test as jestTest } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { eventually, inside, run } from "../../conformance/program.ts";
import { ask as sendAndHear, serve } from "../../conformance/traffic.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { type Packet, type Wire, wire } from "./wire.ts";

const runs = needing(...LIVE, { program: "tc" }, { file: "/usr/bin/python3" });
const POD = "mir-pod";
let live: LiveNode;
let analyser: Wire;
let address = "";
let host = "";

beforeAll(async () => {
  if (runs === jestTest.skip) return;
  live = await makeLiveNode({ name: "mir", config: { ipam: { coolDownSeconds: 0 } } });
  await attach();
  analyser = await wire(live.outside.namespace);
});
afterAll(async () => {
  await analyser?.[Symbol.asyncDispose]();
  await live?.[Symbol.asyncDispose]();
});

/** With bandwidth: its redirect stands behind the mirror on the same hook. */
async function attach(): Promise<void> {
  await live.pods(POD);
  const bandwidth = { ingressRate: 50_000_000, egressRate: 50_000_000 };
  const added = await live.ask("ADD", POD, { config: { runtimeConfig: { bandwidth } } });
  expect(added).toMatchObject({ exit: 0 });
  const { interfaces, ips } = JSON.parse(added.stdout) as {
    interfaces: { name: string }[];
    ips: { address: string }[];
  };
  host = interfaces[0]?.name ?? "";
  address = (ips[0]?.address ?? "").replace(/\/.*/, "");
}

const ctl = (...words: string[]) =>
  run(inside(live.node.namespace, [join(BUILT, "selvedgectl"), ...words]), {
    environment: { SELVEDGE_SOCKET: live.daemon.environment.SELVEDGE_SOCKET, PATH: process.env.PATH ?? "" },
  });
interface Shown {
  readonly id: string;
  readonly leftMs: number;
}
async function begin(to: string, ...more: string[]): Promise<Shown> {
  const made = await ctl("mirror", "start", POD, "--to", to, "--json", ...more);
  expect(made).toMatchObject({ exit: 0, stderr: "" });
  return JSON.parse(made.stdout) as Shown;
}
const listed = async (): Promise<Shown[]> =>
  (JSON.parse((await ctl("mirror", "list", "--json")).stdout) as { mirrors: Shown[] }).mirrors;
const stopped = async (id: string) => expect(await ctl("mirror", "stop", id)).toMatchObject({ exit: 0 });
const ping = (count = 1) => live.within(POD, "ping", "-c", String(count), "-i", "0.2", "-W", "3", live.node.ip4);

/** linux/in.h: hop-by-hop options, before what the tunnel's own end says of its multicast groups (RFC 3810). */
const HOP_BY_HOP = 0;

/** Copies that came in a tunnel, as `src > dst`, with how many of each. */
function copies(of: readonly Packet[], number: number): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const { way, carries } of of) {
    if (way !== "in" || carries?.number !== number || carries.protocol === HOP_BY_HOP) continue;
    const what = `${carries.src} > ${carries.dst} ${carries.protocol}`;
    counted[what] = (counted[what] ?? 0) + 1;
  }
  return counted;
}
const filtersOn = async (hook: string): Promise<string> => live.on("tc", "filter", "show", "dev", host, hook);

runs("both directions in VXLAN, each packet once, and the pod notices nothing", async () => {
  const { id, leftMs } = await begin(`vxlan:${live.outside.ip4}:42`, "--for", "10m", "--filter", "icmp");
  expect(leftMs).toBeGreaterThan(590_000);
  await ping(2);
  const echo = `${address} > ${live.node.ip4} 1`;
  const reply = `${live.node.ip4} > ${address} 1`;
  await eventually("the copies come", async () => (copies(analyser.packets, 42)[reply] ?? 0) >= 2 || undefined);
  await sleep(200);
  expect(copies(analyser.packets, 42)).toEqual({ [echo]: 2, [reply]: 2 });
  expect(await live.ask("CHECK", POD)).toBeDefined();
  await stopped(id);
  await ping();
  await sleep(200);
  expect(copies(analyser.packets, 42)).toEqual({ [echo]: 2, [reply]: 2 });
  expect(await filtersOn("egress")).not.toContain("mirror");
  expect(await live.on("ip", "link", "show", "type", "vxlan")).toBe("");
});

runs("one direction and one port, to a link of the node", async () => {
  await live.on("ip", "link", "add", "tap9", "type", "veth", "peer", "name", "tap9", "netns", live.outside.namespace);
  await live.on("ip", "link", "set", "tap9", "up");
  await run(inside(live.outside.namespace, ["ip", "link", "set", "tap9", "up"]));
  const server = await serve(live.node.namespace, "tcp", 8_081, "here");
  const other = await serve(live.node.namespace, "tcp", 8_082, "there");
  try {
    const { id } = await begin("link:tap9", "--direction", "out", "--filter", "tcp dst port 8081");
    const question = { from: POD, to: live.node.ip4, protocol: "tcp", bytes: 10, deadlineMs: 3_000 } as const;
    for (const port of [8_081, 8_082]) expect(await sendAndHear({ ...question, port })).toMatchObject({ exit: 0 });
    const seen = () => analyser.packets.filter(({ link, protocol }) => link === "tap9" && protocol === 6);
    await eventually("the copies come", async () => seen().length > 2 || undefined);
    expect(new Set(seen().map(({ src, dport }) => `${src} ${dport}`))).toEqual(new Set([`${address} 8081`]));
    await stopped(id);
    await live.on("ip", "link", "del", "tap9");
  } finally {
    server.kill();
    other.kill();
  }
});

runs("it ends by itself, and a restart neither ends nor prolongs it", async () => {
  const { id } = await begin(`vxlan:${live.outside.ip4}:43`, "--for", "10s");
  await live.daemon.kill();
  await live.daemon.start();
  const [after] = await listed();
  expect(after).toMatchObject({ id });
  expect(after?.leftMs).toBeLessThan(10_000);
  expect(await filtersOn("ingress")).toContain("Egress Mirror");
  await eventually("it ends", async () => (await listed()).length === 0 || undefined);
  expect(await filtersOn("ingress")).not.toContain("Mirror");
  expect(await live.on("ip", "link", "show", "type", "vxlan")).toBe("");
  expect(live.daemon.log()).toContain('"why":"expired"');
});

runs("what others take away of it comes back", async () => {
  const { id } = await begin(`vxlan:${live.outside.ip4}:44`);
  await live.on("tc", "filter", "del", "dev", host, "ingress");
  await eventually("the filters are back", async () => {
    const there = await filtersOn("ingress");
    return (there.includes("Egress Mirror") && there.includes("Egress Redirect")) || undefined;
  });
  const device = (await live.on("ip", "-br", "link", "show", "type", "vxlan")).split(/\s/)[0] ?? "";
  await live.on("ip", "link", "del", device);
  await eventually("the tunnel is back", async () => {
    const there = await live.on("bridge", "fdb", "show", "dev", device);
    return (there.includes(live.outside.ip4) && (await filtersOn("egress")).includes(device)) || undefined;
  });
  await stopped(id);
});

runs("two mirrors to one analyser share the tunnel, which goes with the second", async () => {
  const to = `vxlan:${live.outside.ip4}:45`;
  const one = await begin(to, "--direction", "in");
  const two = await begin(to, "--direction", "out");
  await stopped(one.id);
  expect(await live.on("ip", "link", "show", "type", "vxlan")).toContain("vxlan");
  expect(await filtersOn("ingress")).toContain("Mirror");
  await stopped(two.id);
  expect(await live.on("ip", "link", "show", "type", "vxlan")).toBe("");
});

const refused: readonly [why: string, words: () => string[], message: string][] = [
  ["a link that is not there", () => [POD, "--to", "link:nope0"], 'to: the node has no link "nope0"'],
  ["the pod's own link", () => [POD, "--to", `link:${host}`], "is where the pod's own packets pass"],
  ["the pod itself", () => [POD, "--to", `vxlan:${address}:42`], "is the address of a pod that is mirrored"],
  [
    "more than a day",
    () => [POD, "--to", "link:uplink", "--for", "25h"],
    "for: 90000 s is not a time from 1 s to 24 h",
  ],
  ["an unknown direction", () => [POD, "--to", "link:uplink", "--direction", "up"], 'direction: "up" is not one of'],
  ["a filter that means nothing", () => [POD, "--to", "link:uplink", "--filter", "tpc"], '"tpc" is not understood'],
  ["an unknown attachment", () => ["nobody", "--to", "link:uplink"], 'no attachment matches "nobody"'],
  ["an unknown interface", () => [POD, "--to", "link:uplink", "--interface", "eth9"], "has no interface eth9"],
];
runs("what cannot be is refused, and nothing is copied", async () => {
  expect(refused.length).toBe(8);
  for (const [why, words, message] of refused) {
    const { exit, stderr } = await ctl("mirror", "start", ...words());
    expect({ why, exit, stderr }).toEqual({ why, exit: 1, stderr: expect.stringContaining(message) });
  }
  expect(await ctl("mirror", "stop", "nope")).toMatchObject({ exit: 1 });
  expect(await listed()).toEqual([]);
  expect(await filtersOn("egress")).not.toContain("Mirror");
});

runs("a mirror goes with its pod, and nothing stays", async () => {
  await begin(`vxlan:${live.outside.ip4}:46`);
  expect(await live.ask("DEL", POD)).toMatchObject({ exit: 0 });
  expect(await listed()).toEqual([]);
  await eventually(
    "the tunnel is gone",
    async () => (await live.on("ip", "link", "show", "type", "vxlan")) === "" || undefined,
  );
  expect(await live.left()).toEqual([]);
});
