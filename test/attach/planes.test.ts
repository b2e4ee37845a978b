/** A pod on several planes, on a real kernel: what of it is seen by iproute2 and by a packet socket. */
import { afterAll, beforeAll, expect } from "@jest/globals";
import { eventually, inside, must, run, stop } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { ask, ping, serve } from "../../conformance/traffic.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { capture } from "./capture.ts";
import { addressesOf, type Result } from "./result.ts";

const here = needing(...LIVE, { file: "/usr/bin/python3" });

const pool = (name: string, n: number) => ({
  name,
  ranges: [[{ subnet: `10.${n}.0.0/24` }], [{ subnet: `fd${n}::/64` }]],
});

const CONFIG = {
  ipam: { coolDownSeconds: 0 },
  // Long enough to see the damage before it is repaired.
  reconcile: { debounceMs: 1_500 },
  defaultPool: "std",
  pools: [
    pool("std", 61),
    pool("control", 62),
    pool("media", 63),
    pool("red", 65),
    { name: "tiny", ranges: [[{ subnet: "10.64.0.0/30" }]] },
  ],
  networks: [
    { name: "std", planes: ["control", { network: "media", interface: "m0" }] },
    { name: "control", pool: "control", dns: { nameservers: ["10.62.0.53"] } },
    {
      name: "media",
      pool: "media",
      attachment: "bridge",
      bridge: "media0",
      mtu: 1400,
      routes: [{ dst: "10.99.0.0/16" }],
      options: { isGateway: true },
    },
    { name: "tiny", pool: "tiny" },
    { name: "nowhere", attachment: "macvlan", parent: "nope0", pool: "media" },
    { name: "alone", pool: "control", policyRouting: true },
    { name: "red", tenant: "red", pool: "red" },
  ],
  tenants: [{ name: "red" }],
};

let live: LiveNode;
/** What stays on the node after the last pod: the tenant's router hangs on it. */
let standing: string[] = [];
const running = process.getuid?.() === 0;
beforeAll(async () => {
  if (!running) return;
  live = await makeLiveNode({ name: "planes", config: CONFIG });
  await live.pods("pl-first");
  await add("pl-first", { network: "red" });
  await quietly("DEL", "pl-first", { network: "red" });
  standing = await eventually("the first pod is gone", async () => {
    const left = await live.left();
    return left.some((line) => /\bs[vb][0-9a-f]{11}\b/.test(line)) ? undefined : left;
  });
});
afterAll(async () => {
  if (running) await live[Symbol.asyncDispose]();
});

async function add(id: string, config: JsonObject, ifname = "eth0"): Promise<Result> {
  const { exit, stdout } = await live.ask("ADD", id, { config, variables: { CNI_IFNAME: ifname } });
  expect({ exit, stdout: exit === 0 ? "" : stdout }).toEqual({ exit: 0, stdout: "" });
  return JSON.parse(stdout) as Result;
}

async function quietly(verb: "DEL" | "CHECK" | "GC", id: string, config: JsonObject, ifname = "eth0"): Promise<void> {
  const { exit, stdout } = await live.ask(verb, id, { config, variables: { CNI_IFNAME: ifname } });
  expect({ exit, stdout }).toEqual({ exit: 0, stdout: "" });
}

/** Links are off the network at once, and deleted behind the DEL. */
const nothingLeft = (): Promise<string> =>
  eventually("nothing is left", async () => {
    const left = (await live.left()).filter((line) => !standing.includes(line));
    if (left.length > 0) throw new Error(left.join("; "));
    return "nothing";
  });

interface Path {
  readonly verdict: string;
  readonly from: { readonly address: string };
  readonly to: { readonly address: string };
  readonly hops: readonly { readonly place: string; readonly device: string; readonly missing: readonly string[] }[];
}

/** The names of hosts' ends are nobody's to know. */
async function pathOf(from: string, to: string) {
  const argv = inside(live.node.namespace, [process.execPath, "cmd/ctl.ts", "--json", "path", from, to]);
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const { stdout, stderr } = await run(argv, { environment: { ...environment, ...live.daemon.environment } });
  if (stdout === "") throw new Error(stderr);
  const path = JSON.parse(stdout) as Path;
  return {
    verdict: path.verdict,
    addresses: [path.from.address, path.to.address],
    places: path.hops.map(({ place, device }) => (place === "node" ? place : `${place} ${device}`)),
    missing: path.hops.flatMap(({ missing }) => missing),
  };
}

const PLANES = ["eth0", "control", "m0"];
const std = { network: "std" };

here("one ADD sets up three planes; each one's traffic stays on it in both directions", async () => {
  await live.pods("pl-a", "pl-b");
  const [a, b] = [await add("pl-a", std), await add("pl-b", std)];
  const [ofA, ofB] = [addressesOf(a), addressesOf(b)];
  expect(Object.keys(ofA)).toEqual(PLANES);
  expect(a.interfaces.filter(({ sandbox }) => sandbox !== undefined).map(({ mtu }) => mtu)).toEqual([1500, 1500, 1400]);
  expect(a.interfaces.filter(({ sandbox }) => sandbox === undefined).length).toBe(4);
  expect(a.routes.filter(({ dst }) => dst.endsWith("/0")).map(({ gw }) => gw)).toEqual(["169.254.1.1", "fe80::1"]);
  expect(a.dns).toEqual({ nameservers: ["10.62.0.53"] });

  // The strictest reverse path check must not mind.
  await live.within("pl-b", "sh", "-c", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 >$f; done");
  await using inA = await capture("pl-a");
  await using inB = await capture("pl-b");
  for (const plane of PLANES)
    for (const [i, to] of (ofB[plane] ?? []).entries()) {
      const from = ofA[plane]?.[i] ?? "";
      expect(await ping("pl-a", { to, source: undefined, withinS: 3 })).toBe(true);
      expect(await inA.seen()).toEqual([`${plane} in ${to} ${from}`, `${plane} out ${from} ${to}`]);
      expect(await inB.seen()).toEqual([`${plane} in ${from} ${to}`, `${plane} out ${to} ${from}`]);
    }

  // Who asks from beyond every plane's subnet is answered by the plane that was asked, not by the default route.
  const server = await serve("pl-b", "tcp", 8080, "b");
  try {
    for (const plane of PLANES)
      for (const [i, to] of (ofB[plane] ?? []).entries()) {
        const source = i === 0 ? live.outside.ip4 : live.outside.ip6;
        const via = i === 0 ? live.node.ip4 : live.node.ip6;
        await must(inside(live.outside.namespace, ["ip", "route", "replace", to, "via", via]));
        const answer = await ask({
          from: live.outside.namespace,
          to,
          port: 8080,
          protocol: "tcp",
          bytes: 5,
          deadlineMs: 3_000,
        });
        expect(answer.stdout.trim()).toBe(`b ${source} 5`);
        // The end of the connection before may come late.
        const seen = (await inB.seen()).filter((line) => line.split(" ").includes(to));
        expect(seen).toEqual([`${plane} in ${source} ${to}`, `${plane} out ${to} ${source}`]);
      }
  } finally {
    await stop(server);
  }
  expect(await pathOf("pl-a/m0", "pl-b/m0")).toEqual({
    verdict: "reached",
    addresses: [ofA.m0?.[0], ofB.m0?.[0]],
    places: ["pod m0", "node", "bridge media0", "node", "pod m0"],
    missing: [],
  });
  expect(await pathOf(ofA.control?.[1] ?? "", ofB.control?.[1] ?? "")).toEqual({
    verdict: "reached",
    addresses: [ofA.control?.[1], ofB.control?.[1]],
    places: ["pod control", "node", "node", "pod control"],
    missing: [],
  });
  expect((await ourRules("pl-a")).length).toBe(6);
  await quietly("CHECK", "pl-a", { ...std, prevResult: a as unknown as JsonObject });
  for (const id of ["pl-a", "pl-b"]) await quietly("DEL", id, std);
  await nothingLeft();
  expect(await ourRules("pl-a")).toEqual([]);
});

/** Routing rules that lead to a table of ours. */
const ourRules = async (id: string): Promise<string[]> =>
  (await Promise.all(["-4", "-6"].map((family) => live.within(id, "ip", family, "rule"))))
    .flatMap((text) => text.split("\n"))
    .filter((line) => /lookup 1\d\d /.test(line));

here("a plane of a tenant beside planes of the node", async () => {
  await live.pods("pl-t", "pl-u");
  const config = { ...std, planes: ["control", "red"] };
  const [t, u] = [await add("pl-t", config), await add("pl-u", config)];
  const [from, to] = [addressesOf(t).red?.[0] ?? "", addressesOf(u).red?.[0] ?? ""];
  await using inU = await capture("pl-u");
  expect(await ping("pl-t", { to, source: undefined, withinS: 3 })).toBe(true);
  expect(await inU.seen()).toEqual([`red in ${from} ${to}`, `red out ${to} ${from}`]);
  await quietly("CHECK", "pl-t", { ...config, prevResult: t as unknown as JsonObject });
  await quietly("DEL", "pl-t", config);
  await quietly("DEL", "pl-u", config);
  await nothingLeft();
  expect(await ourRules("pl-t")).toEqual([]);
});

const FAILING: [name: string, planes: readonly string[], message: RegExp, more?: JsonObject][] = [
  ["a pool without a free address", ["control", "tiny"], /pool tiny: 1 of 1 used/],
  ["a parent that is not there", ["control", "nowhere"], /"nope0" is not a link of the node/],
  ["a network that is not there", ["control", "sdt"], /"sdt" is not a network/],
  ["a plane named twice", ["control", "control"], /planes\[1\]: the plane "control" is named twice/],
  [
    "an MTU that is too little for IPv6",
    ["control"],
    /^mtu: 1279 is too little for fd62::[0-9a-f]+\/64: IPv6 needs 1280 bytes/,
    { mtu: 1_279 },
  ],
];
here.each(FAILING)("%s: nothing of the other planes is left", async (_name, planes, message, more = {}) => {
  await live.pods("pl-f", "pl-g");
  // The tiny pool has one address besides its gateway's.
  const holder = { network: "tiny" };
  await add("pl-g", holder);
  const before = await live.left();
  const { exit, stdout } = await live.ask("ADD", "pl-f", { config: { network: "alone", planes, ...more } });
  expect(exit).toBe(1);
  expect(String((JSON.parse(stdout) as { msg: string }).msg)).toMatch(message);
  expect(await live.left()).toEqual(before);
  expect((await live.within("pl-f", "ip", "-o", "link")).trim().split("\n").length).toBe(1);
  expect(await ourRules("pl-f")).toEqual([]);
  await quietly("DEL", "pl-g", holder);
});

here("CHECK finds what a plane lacks, the loop puts it back, and GC takes all planes", async () => {
  await live.pods("pl-c");
  const checked = { ...std, prevResult: (await add("pl-c", std)) as unknown as JsonObject };
  await quietly("CHECK", "pl-c", checked);
  await live.within("pl-c", "ip", "link", "set", "control", "mtu", "1300");
  expect((await live.ask("CHECK", "pl-c", { config: checked })).exit).toBe(1);
  await eventually("the repair", async () => {
    const { exit } = await live.ask("CHECK", "pl-c", { config: checked });
    return exit === 0 ? true : undefined;
  });
  expect((await live.within("pl-c", "ip", "link", "show", "control")).includes("mtu 1500")).toBe(true);
  await quietly("GC", "pl-c", { "cni.dev/valid-attachments": [] });
  await nothingLeft();
});

here("the pod's annotation names planes, with addresses and the default route", async () => {
  await live.pods("pl-n");
  const planes = JSON.stringify([
    { network: "std", ips: ["10.61.0.77"] },
    { network: "control", interface: "ctl", ips: ["10.62.0.77"], mac: "02:00:00:00:00:77", defaultRoute: true },
  ]);
  const config = {
    ...std,
    runtimeConfig: { "io.kubernetes.cri.pod-annotations": { "selvedge.dev/planes": planes } },
  };
  const result = await add("pl-n", config);
  const of = addressesOf(result);
  expect([of.eth0?.[0], of.ctl?.[0], Object.keys(of)]).toEqual(["10.61.0.77", "10.62.0.77", ["eth0", "ctl"]]);
  expect(await live.within("pl-n", "ip", "link", "show", "ctl")).toContain("02:00:00:00:00:77");
  expect((await live.within("pl-n", "ip", "route", "show", "default")).trim()).toMatch(/dev ctl/);
  await quietly("DEL", "pl-n", config);
  await nothingLeft();
});

here(
  "as a delegate of another plugin, one ADD for each plane: replies leave by the interface that was asked",
  async () => {
    await live.pods("pl-m");
    const primary = { network: "tiny" };
    await add("pl-m", primary);
    const secondary = { network: "alone" };
    const [to = ""] = addressesOf(await add("pl-m", secondary, "net1")).net1 ?? [];
    const third = { network: "media", policyRouting: true };
    const [other = ""] = addressesOf(await add("pl-m", third, "net2")).net2 ?? [];
    expect((await ourRules("pl-m")).length).toBe(4);
    await using seen = await capture("pl-m");
    for (const [address, link] of [
      [to, "net1"],
      [other, "net2"],
    ] as const) {
      await must(inside(live.outside.namespace, ["ip", "route", "replace", address, "via", live.node.ip4]));
      expect(await ping(live.outside.namespace, { to: address, source: undefined, withinS: 3 })).toBe(true);
      expect(await seen.seen()).toEqual([
        `${link} in ${live.outside.ip4} ${address}`,
        `${link} out ${address} ${live.outside.ip4}`,
      ]);
    }
    // The pod lives on: only what belongs to the one interface goes.
    await quietly("DEL", "pl-m", secondary, "net1");
    expect((await ourRules("pl-m")).length).toBe(2);
    await add("pl-m", secondary, "net1");
    await quietly("CHECK", "pl-m", third, "net2");
    for (const [config, ifname] of [
      [third, "net2"],
      [secondary, "net1"],
      [primary, "eth0"],
    ] as const)
      await quietly("DEL", "pl-m", config, ifname);
    await nothingLeft();
  },
);
