/** Quality of service on a real kernel: marks on the wire, rates of one interface and of all, and what is measured. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test as jestTest } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { eventually, stop } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { flow, sink, type Wire, wire } from "./wire.ts";

const runs = needing(...LIVE, { program: "tc" }, { file: "/usr/bin/python3" });
const pool = (name: string, n: number) => ({
  name,
  ranges: [[{ subnet: `10.${n}.0.0/24` }], [{ subnet: `fd${n}::/64` }]],
});
const BITS = 40_000_000;
const CONFIG = {
  ipam: { coolDownSeconds: 0 },
  defaultPool: "std",
  pools: [pool("std", 71), pool("media", 72)],
  networks: [
    { name: "marked", qos: { dscp: "AF41" } },
    { name: "held", podQos: { ingressRate: BITS, egressRate: BITS }, planes: ["media"], qos: { priority: 6 } },
    { name: "alone", podQos: { egressRate: BITS }, qos: { egressRate: 2 * BITS, ingressRate: BITS } },
    { name: "media", pool: "media", qos: { priority: 1 } },
  ],
};

let live: LiveNode;
let outside: Wire;
beforeAll(async () => {
  if (runs === jestTest.skip) return;
  live = await makeLiveNode({ name: "qos", config: CONFIG });
  outside = await wire(live.outside.namespace);
});
afterAll(async () => {
  await outside?.[Symbol.asyncDispose]();
  await live?.[Symbol.asyncDispose]();
});

interface Result {
  readonly interfaces: readonly { readonly name: string; readonly sandbox?: string }[];
  readonly ips: readonly { readonly address: string; readonly interface: number }[];
}
interface Traffic {
  readonly direction: string;
  readonly limitBits: number;
  readonly assuredBits: number;
  readonly measuredBits: number;
  readonly bytes: number;
}
interface Measured {
  readonly interfaces: readonly {
    readonly key: { readonly ifname: string };
    readonly dscp: string;
    readonly priority: string;
    readonly ingress: Traffic;
    readonly egress: Traffic;
  }[];
  readonly totals: readonly Traffic[];
}

async function attach(id: string, config: object): Promise<Result> {
  await live.pods(id);
  const added = await live.ask("ADD", id, { config: { ...config } });
  expect(added).toMatchObject({ exit: 0 });
  return JSON.parse(added.stdout) as Result;
}
const detach = async (id: string) => expect(await live.ask("DEL", id)).toMatchObject({ exit: 0 });
const ipOf = ({ ips }: Result, which: 4 | 6): string =>
  (ips.find(({ address }) => address.includes(":") === (which === 6))?.address ?? "").replace(/\/.*/, "");
const ctl = async (...words: string[]): Promise<string> =>
  live.on("env", `SELVEDGE_SOCKET=${live.daemon.environment.SELVEDGE_SOCKET}`, join(BUILT, "selvedgectl"), ...words);
const measured = async (id: string) => JSON.parse(await ctl("qos", id, "--json")) as Measured;

/** What else the machine does may disturb a measurement, which is then taken again. */
const undisturbed = (what: string, measurement: () => Promise<void>): Promise<true> =>
  eventually(what, () => measurement().then(() => true as const));

/** TOS bytes of echo requests of that size that reached the world outside. */
const tosOf = (protocol: number) =>
  outside.packets.filter((p) => p.way === "in" && p.protocol === protocol).map(({ tos }) => tos);

runs(
  "what a routed pod sends carries the node's code point, whatever the pod wrote, and keeps its ECN bits",
  async () => {
    await attach("qos-mark", { qos: { dscp: "EF" } });
    await live.within("qos-mark", "ping", "-c", "1", "-W", "3", live.outside.ip4);
    await live.within("qos-mark", "ping", "-c", "1", "-W", "3", "-Q", "0x23", live.outside.ip4);
    await live.within("qos-mark", "ping", "-6", "-c", "1", "-W", "3", "-Q", "0x20", live.outside.ip6);
    await eventually("all are seen", async () => (tosOf(1).length >= 2 && tosOf(58).includes(0xb8)) || undefined);
    expect(tosOf(1)).toEqual([0xb8, 0xbb]);
    expect((await measured("qos-mark")).interfaces[0]).toMatchObject({ dscp: "EF", priority: "6" });
    await detach("qos-mark");
    expect(await live.left()).toEqual([]);
  },
);

runs("between neighbours on a bridge, and beyond it, frames carry the network's code point", async () => {
  const bridge = { network: "marked", attachment: "bridge", bridge: "qos-br", isDefaultGateway: true };
  await attach("qos-br1", bridge);
  const second = await attach("qos-br2", { ...bridge, qos: { dscp: 1 } });
  const before = tosOf(1).length;
  await using neighbour = await wire("qos-br2");
  await live.within("qos-br1", "ping", "-c", "1", "-W", "3", ipOf(second, 4));
  await live.within("qos-br1", "ping", "-c", "1", "-W", "3", live.outside.ip4);
  await eventually(
    "both are seen",
    async () => (neighbour.packets.length > 0 && tosOf(1).length > before) || undefined,
  );
  expect(neighbour.packets.filter((p) => p.protocol === 1 && p.way === "in").map(({ tos }) => tos)).toEqual([34 << 2]);
  expect(tosOf(1).slice(before)).toEqual([34 << 2]);
  await detach("qos-br1");
  await detach("qos-br2");
});

runs("the queues of the node see the priority of what a pod sends", async () => {
  await attach("qos-prio", { qos: { priority: 7 } });
  await live.on(
    "nft",
    "add table inet probe; add chain inet probe out { type filter hook postrouting priority 300; }; add rule inet probe out icmp type echo-request meta priority 0:7 counter",
  );
  await live.within("qos-prio", "ping", "-c", "2", "-i", "0.2", "-W", "3", live.outside.ip4);
  expect(await live.on("nft", "list", "table", "inet", "probe")).toContain("counter packets 2 ");
  await live.on("nft", "delete", "table", "inet", "probe");
  await detach("qos-prio");
});

runs("one interface under a total keeps one token bucket, of the smaller rate", async () => {
  await attach("qos-one", { network: "alone" });
  const queues = JSON.parse(await live.on("tc", "-j", "qdisc", "show")) as {
    kind: string;
    dev: string;
    options?: { rate?: number };
  }[];
  const ours = queues.filter(
    ({ dev, kind }) => /^s[vbie][0-9a-f]{11}$/.test(dev) && kind !== "noqueue" && kind !== "clsact",
  );
  expect(ours.map(({ kind, options }) => `${kind} ${options?.rate}`)).toEqual([`tbf ${BITS / 8}`, `tbf ${BITS / 8}`]);
  await detach("qos-one");
});

runs("a pod's annotation holds it to less than its network does, and CHECK knows it", async () => {
  const annotated = {
    network: "alone",
    capabilities: { "io.kubernetes.cri.pod-annotations": true },
    runtimeConfig: {
      "io.kubernetes.cri.pod-annotations": { "selvedge.dev/pod-qos": `{"egressRate": ${BITS / 4}}` },
    },
  };
  await attach("qos-said", annotated);
  expect(await live.ask("CHECK", "qos-said", { config: annotated })).toMatchObject({ exit: 0 });
  const server = await sink(live.node.namespace, 5_003);
  try {
    await undisturbed("it is held to a quarter", async () => {
      const sent = await flow("qos-said", { to: live.node.ip4, port: 5_003, seconds: 2 });
      expect(sent).toBeGreaterThan((0.8 * BITS) / 4);
      expect(sent).toBeLessThan((1.15 * BITS) / 4);
    });
  } finally {
    await stop(server);
  }
  expect((await measured("qos-said")).interfaces[0]?.egress).toMatchObject({ limitBits: BITS / 4 });
  await detach("qos-said");
  expect(await live.left()).toEqual([]);
});

runs(
  "two interfaces share what the pod may take by priority, either has all of it alone, and it comes back when taken",
  async () => {
    const result = await attach("qos-held", { network: "held" });
    const media = result.interfaces.findIndex(({ name, sandbox }) => name === "media" && sandbox !== undefined);
    const source = (
      result.ips.find((ip) => ip.interface === media && !ip.address.includes(":"))?.address ?? ""
    ).replace(/\/.*/, "");
    expect(
      await live.ask("CHECK", "qos-held", {
        config: { network: "held", prevResult: JSON.parse(JSON.stringify(result)) },
      }),
    ).toMatchObject({ exit: 0 });
    const server = await sink(live.node.namespace, 5_001);
    const out = { to: live.node.ip4, port: 5_001 };
    try {
      await undisturbed("one has all of it", async () => {
        const alone = await flow("qos-held", { ...out, seconds: 2 });
        expect(alone).toBeGreaterThan(0.85 * BITS);
        expect(alone).toBeLessThan(1.1 * BITS);
      });
      await undisturbed("two share it", async () => {
        const [first, second, rates] = await Promise.all([
          flow("qos-held", { ...out, seconds: 3 }),
          flow("qos-held", { ...out, seconds: 3, source }),
          measured("qos-held"),
        ]);
        expect(first + second).toBeGreaterThan(0.8 * BITS);
        expect(first + second).toBeLessThan(1.15 * BITS);
        expect(first / second).toBeGreaterThan(2);
        expect(first / second).toBeLessThan(4.5);
        const [own, other] = rates.interfaces;
        expect(own?.egress).toMatchObject({ limitBits: BITS, assuredBits: BITS / 4 });
        expect(other).toMatchObject({ key: { ifname: "media" }, priority: "1", egress: { assuredBits: BITS / 4 } });
        const total = rates.totals.find(({ direction }) => direction === "egress");
        expect(total).toMatchObject({ limitBits: BITS });
        expect(total?.measuredBits).toBeGreaterThan(0.5 * BITS);
        expect(total?.measuredBits).toBeLessThan(1.15 * BITS);
      });

      const into = await sink("qos-held", 5_002);
      try {
        await undisturbed("it receives all of it", async () => {
          const ingress = await flow(live.node.namespace, { to: ipOf(result, 4), port: 5_002, seconds: 2 });
          expect(ingress).toBeGreaterThan(0.85 * BITS);
          expect(ingress).toBeLessThan(1.1 * BITS);
        });
      } finally {
        await stop(into);
      }
    } finally {
      await stop(server);
    }
    const trees = async () =>
      (JSON.parse(await live.on("tc", "-j", "qdisc", "show")) as { kind: string; dev: string }[])
        .filter(({ kind }) => kind === "htb")
        .map(({ dev }) => dev)
        .sort();
    const both = await trees();
    expect(both).toEqual([expect.stringMatching(/^se/), expect.stringMatching(/^si/)]);
    await live.on("tc", "qdisc", "del", "dev", both[0] ?? "", "root");
    await eventually("the tree is back", async () => (await trees()).length === 2 || undefined);
    await detach("qos-held");
    expect(await live.left()).toEqual([]);
  },
);

const refused: readonly [message: string, config: JsonObject][] = [
  ['qos.dscp: "EG" is not a code point', { qos: { dscp: "EG" } }],
  ["qos.priority: 8 is not a whole number from 0 to 7", { qos: { priority: 8 } }],
  ["podQos.egressRate: 10 is not a whole number from 1000", { podQos: { egressRate: 10 } }],
  ['qos: {"dscp":46} is not supported', { attachment: "macvlan", master: "uplink", qos: { dscp: "EF" } }],
];
runs("what cannot be is refused before anything is made", async () => {
  expect(refused.length).toBe(4);
  await live.pods("qos-bad");
  for (const [message, config] of refused) {
    const { exit, stdout } = await live.ask("ADD", "qos-bad", { config });
    expect({ message, exit, stdout }).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining(JSON.stringify(message).slice(1, -1)),
    });
  }
  expect(await live.left()).toEqual([]);
});
