/** The network between the nodes takes smaller packets, or larger ones: running pods follow, and connections go on. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, inside, must } from "../../conformance/program.ts";
import { echoStream } from "../support/echo-stream.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { fits } from "./ping.ts";
import { NAMES } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { resize, shrink } from "./wire.ts";

const runs = needing(...RIG);
/** IP and TCP headers with timestamps, bytes (RFC 9293 section 3.7.1, RFC 7323 section 3.2). */
const TCP_HEADERS = 52;

interface Listed {
  readonly peers: readonly { readonly ways: readonly { readonly mtu: number; readonly reason: string }[] }[];
}

let rig: Rig;
let pods: Pod[];
let fixed: Pod;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, cluster: { way: "vxlan" }, config: { networks: [{ name: "own", mtu: 1_300 }] } });
  pods = await Promise.all(NAMES.map((name) => rig.nodes[name].add(`cl-m-${name}`)));
  fixed = await rig.nodes.a.add("cl-m-own", { network: "own" });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const mtuOf = async ({ id }: Pod): Promise<number> => {
  const [link] = JSON.parse(await must(inside(id, ["ip", "-j", "link", "show", "eth0"]))) as { mtu: number }[];
  return link?.mtu ?? 0;
};
const routeMtus = async (name: (typeof NAMES)[number]): Promise<Set<number | undefined>> => {
  const routes = JSON.parse(await rig.nodes[name].on("ip", "-j", "route", "show", "dev", "svx4")) as {
    metrics?: { mtu?: number }[];
  }[];
  return new Set(routes.map(({ metrics }) => metrics?.[0]?.mtu));
};

runs("links in pods, routes and packets follow, down and up; an MTU that was chosen stays", async () => {
  const [a, b, c] = pods;
  if (a === undefined || b === undefined || c === undefined) throw new TypeError("three pods");
  await using stream = await echoStream({ from: a.id, to: b.id, address: b.address[4], bytes: 4_000 });
  for (const path of [1_400, 9_000, 1_500]) {
    const mtu = path - 50;
    await resize(path);
    await eventually(
      `pods have ${mtu}`,
      async () => (await Promise.all(pods.map(mtuOf))).every((found) => found === mtu) || undefined,
    );
    // Larger ones are sent when the other node has told that it takes them.
    for (const name of NAMES)
      await eventually(
        `routes of ${name} have ${mtu}`,
        async () => (await routeMtus(name)).symmetricDifference(new Set([mtu])).size === 0 || undefined,
      );
    // Not between a and b: who sends while one of them takes more already remembers the other's size for ten minutes.
    for (const family of [4, 6] as const) {
      expect(await fits(c, b, family, mtu)).toBe(true);
      expect(await fits(c, b, family, mtu + 1)).toBe(false);
    }
    const { heard } = stream;
    await eventually("the connection goes on", async () => stream.heard > heard + 20 || undefined);
    await using fresh = await echoStream({ from: c.id, to: a.id, address: a.address[4], bytes: 20_000 });
    const sockets = await must(inside(c.id, ["ss", "-tin", "dst", a.address[4]]));
    expect(Number(/ advmss:(\d+)/.exec(sockets)?.[1])).toBe(mtu - TCP_HEADERS);
    expect(fresh.ended).toBeNull();
    expect(await mtuOf(fixed)).toBe(1_300);
    const { lines } = (await rig.nodes.a.ctl("plan")) as { lines: string[] };
    expect(lines).toEqual([]);
  }
  expect(stream.ended).toBeNull();
});

runs("what one node's link takes the others send it no more than, and each other as much as ever", async () => {
  const [a, b, c] = pods;
  if (a === undefined || b === undefined || c === undefined) throw new TypeError("three pods");
  const waysTo = async (name: string): Promise<string[]> => {
    const { peers } = (await rig.nodes.a.ctl("peers", name)) as Listed;
    return peers.flatMap(({ ways }) => ways.map(({ mtu, reason }) => `${mtu}: ${reason}`));
  };
  await using stream = await echoStream({ from: a.id, to: b.id, address: b.address[4], bytes: 4_000 });
  await shrink("b", 1_400);
  for (const family of [4, 6] as const)
    for (const from of [a, c]) {
      const isExact = async () => (await fits(from, b, family, 1_350)) && !(await fits(from, b, family, 1_351));
      await eventually(`${from.id} sends b 1350 bytes`, async () => (await isExact()) || undefined);
      expect(await fits(from, from === a ? c : a, family, 1_450)).toBe(true);
    }
  const sizes = async () => (await Promise.all(pods.map(mtuOf))).join(" ");
  await eventually("pods on b have no more", async () => (await sizes()) === "1450 1350 1450" || undefined);
  expect(await waysTo("b")).toEqual(Array(2).fill("1350: configured; b takes 1400 bytes"));
  expect(await waysTo("c")).toEqual(Array(2).fill("1450: configured"));
  const { heard } = stream;
  await eventually("the connection goes on", async () => stream.heard > heard + 20 || undefined);
  await shrink("b", 1_500);
  await eventually("pods on b have as much again", async () => (await sizes()) === "1450 1450 1450" || undefined);
  expect(await waysTo("b")).toEqual(Array(2).fill("1450: configured"));
  // Those that were told of the smaller size remember it for ten minutes.
  const fresh = await rig.nodes.a.add("cl-m-fresh");
  for (const family of [4, 6] as const) {
    expect(await fits(fresh, b, family, 1_450)).toBe(true);
    expect(await fits(fresh, b, family, 1_451)).toBe(false);
  }
  expect(stream.ended).toBeNull();
});

runs("it is what a daemon finds that was not there meanwhile", async () => {
  const { a } = rig.nodes;
  await a.daemon.stop();
  await resize(1_400);
  await a.daemon.start();
  const [first] = pods;
  if (first === undefined) throw new TypeError("three pods");
  await eventually("the pod has 1350", async () => (await mtuOf(first)) === 1_350 || undefined);
  await resize(1_500);
  await eventually("and 1450 again", async () => (await mtuOf(first)) === 1_450 || undefined);
});
