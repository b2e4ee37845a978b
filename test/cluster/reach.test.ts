/** Every pod reaches every pod, with a packet of exactly the size that it was told, whatever lies between their nodes. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { MtuReport } from "#proto/selvedge_pb.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { fits } from "./ping.ts";
import { type Family, NAMES } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { narrow } from "./wire.ts";

const runs = needing(...RIG);
const FAMILIES = [4, 6] as const satisfies readonly Family[];
const WAYS: [way: string, underlay: Family, mtu: number][] = [
  ["auto", 4, 1_450],
  ["auto", 6, 1_430],
  ["vxlan", 4, 1_450],
  ["vxlan", 6, 1_430],
];
test("there are ways", () => expect(WAYS.length).toBeGreaterThan(0));

describe.each(WAYS)("%s over IPv%i", (way, underlay, mtu) => {
  let rig: Rig;
  let pods: Pod[] = [];
  beforeAll(async () => {
    if (runs === test.skip) return;
    rig = await makeRig({ underlay, cluster: { way } });
    pods = await Promise.all(NAMES.map((name) => rig.nodes[name].add(`cl-pod-${name}`)));
  }, 120_000);
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  const pairs = () => pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => [from, to] as const));

  runs("no two pods have the same address, and all are told the same MTU", () => {
    for (const family of FAMILIES) expect(new Set(pods.map((pod) => pod.address[family])).size).toBe(NAMES.length);
    expect(pods.map((pod) => pod.mtu)).toEqual(NAMES.map(() => mtu));
  });

  runs.each(FAMILIES)(
    "pods' IPv%i: packets of exactly that size arrive",
    async (family) => {
      expect(pairs()).toHaveLength(6);
      for (const [from, to] of pairs())
        await eventually(`${from.id} reaches ${to.id}`, async () => (await fits(from, to, family, mtu)) || undefined);
    },
    60_000,
  );

  runs(
    "selvedgectl shows the way to each, and that all reach all",
    async () => {
      const { peers } = (await rig.nodes.a.ctl("peers")) as {
        peers: { name: string; liveness: string; ways: { way: string; mtu: number }[] }[];
      };
      expect(peers.map(({ name, liveness, ways }) => [name, liveness, ways[0]?.way, ways[0]?.mtu])).toEqual([
        ["b", "alive", "vxlan", mtu],
        ["c", "alive", "vxlan", mtu],
      ]);
      const mesh = (await rig.nodes.b.ctl("connectivity")) as { reaches: object[]; silent: string[] };
      expect(mesh.silent).toEqual([]);
      expect(mesh.reaches).toHaveLength(6);
      const { blocks } = (await rig.nodes.c.ctl("blocks")) as { blocks: { node: string; prefix: string }[] };
      for (const name of NAMES) expect(blocks.filter(({ node }) => node === name).length).toBeGreaterThanOrEqual(2);
      expect(new Set(blocks.map(({ prefix }) => prefix)).size).toBe(blocks.length);
    },
    60_000,
  );

  runs(
    "selvedgectl doctor mtu finds the MTUs right, and a place that is narrower than its nodes know",
    async () => {
      for (const name of NAMES) {
        const report = await eventually(`${name} asks both others`, async () => {
          const found = (await rig.nodes[name].ctl("doctor", "mtu").catch(() => undefined)) as MtuReport | undefined;
          return found?.unasked.length === 0 ? found : undefined;
        });
        expect(report.findings.map(({ peer, family }) => [peer, family])).toEqual(
          NAMES.filter((other) => other !== name).flatMap((other) => FAMILIES.map((family) => [other, family])),
        );
        for (const { largest, larger, right } of report.findings)
          expect({ largest, larger, right }).toEqual({ largest: "passes", larger: "too-large", right: true });
      }
      await expect(rig.nodes.a.ctl("doctor", "mtu", "--node", "a")).rejects.toThrow(
        'nodes: none is called "a"; there are b, c',
      );
      await narrow("a", 1_400);
      await expect(rig.nodes.a.ctl("doctor", "mtu", "--node", "b")).rejects.toThrow(
        /exit 5: .*"mtu": (1450|1430),\s*"largest": "lost"/s,
      );
    },
    60_000,
  );
});
