/**
 * A network that is one segment on all nodes: pods of different nodes are neighbours, nothing that is meant for everybody
 * is on the wire, and a pod that moves is where it is at once.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, inside, must } from "../../conformance/program.ts";
import { capture, toldOf } from "../attach/capture.ts";
import { echoStream } from "../support/echo-stream.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers, fits } from "./ping.ts";
import { addressOf } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { shrink } from "./wire.ts";

const runs = needing(...RIG, { file: "/usr/bin/python3" });
const VNI = 72;
const LAN = {
  name: "lan",
  attachment: "bridge",
  pool: "lan",
  ipMasq: false,
  stretch: { vni: VNI },
  options: { bridge: "lan0", isDefaultGateway: true },
};
const POOLS = [
  { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/48" }]] },
  { name: "lan", ranges: [[{ subnet: "10.9.0.0/24" }], [{ subnet: "fd00:9::/112" }]], blockSize: { 4: 28, 6: 122 } },
];
const ON = { network: "lan" };

let rig: Rig;
let pods: Record<"a" | "b" | "c", Pod>;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, config: { pools: POOLS, networks: [LAN] } });
  const { a, b, c } = rig.nodes;
  pods = { a: await a.add("cl-s-a", ON), b: await b.add("cl-s-b", ON), c: await c.add("cl-s-c", ON) };
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const neighbourOf = async (pod: Pod, address: string): Promise<string | undefined> => {
  const all = JSON.parse(await must(inside(pod.id, ["ip", "-j", "neigh", "show", address])));
  return (all as { lladdr?: string }[])[0]?.lladdr;
};
const mtuOf = async (pod: Pod): Promise<number | undefined> => {
  const [link] = JSON.parse(await must(inside(pod.id, ["ip", "-j", "link", "show", "eth0"])));
  return (link as { mtu: number }).mtu;
};
const macOf = async (pod: Pod): Promise<string> => {
  const [link] = JSON.parse(await must(inside(pod.id, ["ip", "-j", "link", "show", "eth0"])));
  return (link as { address: string }).address;
};

runs(
  "pods of all nodes reach each other as neighbours, with packets of exactly the size that they were told",
  async () => {
    const all = Object.values(pods);
    expect(all.map(({ mtu }) => mtu)).toEqual([1_450, 1_450, 1_450]);
    for (const from of all)
      for (const to of all.filter((each) => each !== from))
        for (const family of [4, 6] as const) {
          await eventually(
            `${from.id} reaches ${to.id}`,
            async () => (await fits(from, to, family, to.mtu)) || undefined,
            20_000,
          );
          expect(await neighbourOf(from, to.address[family])).toBe(await macOf(to));
        }
  },
);

runs(
  "nobody learns and nobody asks on the wire: the bridge answers, and what is for everybody stays on the node",
  async () => {
    const { a } = rig.nodes;
    const port = (await a.on("bridge", "-d", "link", "show")).split("\n").find((line) => line.includes("learning off"));
    expect(port).toMatch(/learning off flood off mcast_flood off .*bcast_flood off .*neigh_suppress on/);
    await using wire = await capture("cl-b");
    await must(inside(pods.a.id, ["ip", "neigh", "flush", "all"]));
    expect(await answers(pods.a, pods.b, 4)).toBe(true);
    const seen = await wire.seen();
    expect(seen.some((line) => line.includes(`${pods.a.address[4]} ${pods.b.address[4]}`))).toBe(true);
    const broadcast = ["ping", "-b", "-c", "3", "-i", "0.2", "-W", "1", "10.9.0.255"];
    await must(inside(pods.a.id, ["sh", "-c", `${broadcast.join(" ")} || true`]));
    expect((await wire.seen()).filter((line) => line.includes("10.9.0.255"))).toEqual([]);
    await expect(must(inside(pods.a.id, ["ping", "-c", "1", "-W", "2", "10.9.0.250"]))).rejects.toThrow(
      "100% packet loss",
    );
  },
);

const SENDER = ["/usr/bin/python3", "-I", join(import.meta.dirname, "..", "tenants", "segment.py")];
const frame = (to: string, source: string): string[] => [...SENDER, String(VNI), to, source, "10.9.0.255"];

runs("nobody but the nodes puts a frame into the segment, to whomever it is addressed", async () => {
  const { a, b } = rig.nodes;
  const stranger = await a.add("cl-s-stranger");
  await using heard = await capture(pods.a.id);
  const aims = [addressOf("a", 4), addressOf("b", 4), "224.0.0.1", "255.255.255.255"];
  for (const [i, to] of aims.entries()) await must(inside(stranger.id, frame(to, `10.9.0.${240 + i}`)));
  // A node's own arrives, after all of them.
  await b.on(...frame(addressOf("a", 4), "10.9.0.250"));
  const told = await toldOf(heard, "eth0 in 10.9.0.250 10.9.0.255");
  expect(told.filter((line) => line.startsWith("eth0 in 10.9.0.24"))).toEqual([]);
});

runs("the gateway is on every node, and pods of other networks reach the segment", async () => {
  const other = await rig.nodes.a.add("cl-s-other");
  await eventually("it reaches b's", async () => (await answers(other, pods.b, 4)) || undefined);
  await eventually("and is reached", async () => (await answers(pods.c, other, 6)) || undefined);
});

runs("a pod that moves keeps address and MAC, and those who speak with it need not ask anew", async () => {
  const { b, c } = rig.nodes;
  const named = { ...ON, args: { cni: { reservation: "vm:moving" } } };
  await b.ctl("reserve", "vm:moving", "--pool", "lan");
  const before = await b.add("cl-s-before", named);
  await eventually("a reaches it on b", async () => (await answers(pods.a, before, 4)) || undefined);
  const mac = await neighbourOf(pods.a, before.address[4]);
  await b.del("cl-s-before");
  const after = await eventually("it starts on c", () => c.add("cl-s-after", named));
  expect(after.address).toEqual(before.address);
  const fromMs = performance.now();
  await eventually("a reaches it on c", async () => (await answers(pods.a, after, 4)) || undefined);
  // Far below what neighbours and bridges remember.
  expect(performance.now() - fromMs).toBeLessThan(10_000);
  expect(await neighbourOf(pods.a, after.address[4])).toBe(mac);
  await eventually("its old node, too", async () => (await answers(pods.b, after, 6)) || undefined);
  await c.del("cl-s-after");
});

runs("packets on the segment are no larger than every node takes, in running pods as well", async () => {
  const { a, b, c } = pods;
  for (const [path, mtu] of [
    [1_400, 1_350],
    [1_500, 1_450],
  ] as const) {
    await shrink("b", path);
    await eventually(
      `all have ${mtu}`,
      async () => (await Promise.all([a, b, c].map(mtuOf))).every((found) => found === mtu) || undefined,
      10_000,
    );
    for (const family of [4, 6] as const)
      for (const [from, to] of [
        [a, b],
        [a, c],
        [c, b],
      ] as const) {
        expect(await fits(from, to, family, mtu)).toBe(true);
        expect(await fits(from, to, family, mtu + 1)).toBe(false);
      }
    expect(await rig.nodes.a.ctl("plan")).toMatchObject({ lines: [] });
  }
});

runs("what is taken away of it is made again, and a daemon's end and etcd's take nothing from it", async () => {
  const { a, b } = rig.nodes;
  await using stream = await echoStream({ from: pods.a.id, to: pods.b.id, address: pods.b.address[4] });
  const lost = [
    "for d in $(ip -o link show type vxlan | grep -o 'sx[0-9a-f]*' | sort -u); do ip link del $d; done",
    "for d in $(ip -o link show type vxlan | grep -o 'sx[0-9a-f]*' | sort -u); do bridge fdb show dev $d | while read -r mac rest; do bridge fdb del $mac dev $d master; bridge fdb del $mac dev $d self; done; done",
    "ip neigh flush dev lan0 nud permanent",
    "nft flush ruleset",
  ];
  for (const what of lost) {
    await a.on("sh", "-c", `{ ${what}; } 2>/dev/null || true`);
    await eventually(`after ${what}`, async () => (await answers(pods.a, pods.b, 4)) || undefined);
    await eventually("nothing is missing", async () => {
      expect(await a.ctl("plan")).toMatchObject({ lines: [] });
      return true;
    });
  }
  await rig.etcd.stop();
  await b.daemon.kill();
  await b.daemon.start();
  await a.daemon.kill();
  await a.daemon.start();
  for (const family of [4, 6] as const) expect(await answers(pods.a, pods.b, family)).toBe(true);
  await rig.etcd.start();
  expect(stream.ended).toBeNull();
});
