/** Every pod reaches every pod, with a packet of exactly the size that it was told, whatever lies between their nodes. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { MtuReport } from "#proto/selvedge_pb.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { PROGRAM } from "../ways/userspace.ts";
import type { Pod } from "./node.ts";
import { fits } from "./ping.ts";
import { type Family, NAMES, type Name, segmentOf } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { narrow, route } from "./wire.ts";

interface Row {
  readonly way: string;
  readonly encrypt?: boolean;
  readonly underlay: Family;
  /** That pods are told, bytes. */
  readonly mtu: number;
  /** From a to another segment; and from b to its neighbour c, where that is another. */
  readonly far: readonly [way: string, mtu: number];
  readonly near?: readonly [way: string, mtu: number];
  /** Families of pods that there is a way for. */
  readonly pods: readonly Family[];
  /** Those that a node has an address on the far way of, where these are not all. */
  readonly probed?: readonly Family[];
}
const BOTH = [4, 6] as const satisfies readonly Family[];
const WAYS: readonly Row[] = [
  { way: "auto", underlay: 4, mtu: 1_450, far: ["vxlan", 1_450], near: ["direct", 1_500], pods: BOTH },
  { way: "auto", underlay: 6, mtu: 1_430, far: ["vxlan", 1_430], near: ["direct", 1_500], pods: BOTH },
  { way: "vxlan", underlay: 4, mtu: 1_450, far: ["vxlan", 1_450], pods: BOTH },
  { way: "vxlan", underlay: 6, mtu: 1_430, far: ["vxlan", 1_430], pods: BOTH },
  { way: "direct", underlay: 4, mtu: 1_500, far: ["direct", 1_500], pods: [4] },
  { way: "direct", underlay: 6, mtu: 1_500, far: ["direct", 1_500], pods: BOTH },
  { way: "wireguard", underlay: 4, mtu: 1_440, far: ["wireguard", 1_440], pods: BOTH },
  { way: "wireguard", underlay: 6, mtu: 1_420, far: ["wireguard", 1_420], pods: BOTH },
  {
    way: "cross-subnet",
    encrypt: true,
    underlay: 4,
    mtu: 1_370,
    far: ["vxlan", 1_390],
    near: ["wireguard", 1_440],
    pods: BOTH,
    // The other one is that of the tunnel's ends.
    probed: [6],
  },
];
test("there are ways", () => expect(WAYS.length).toBeGreaterThan(0));

const isNear = (one: Name, other: Name): boolean => segmentOf(one) === segmentOf(other);
const isSecret = ({ way, encrypt }: Row): boolean => way === "wireguard" || encrypt === true;
const titled = WAYS.map(
  (row) => [`${row.way}${row.encrypt ? ", encrypted," : ""} over IPv${row.underlay}`, row] as const,
);

describe.each(titled)("%s", (_title, row) => {
  const { way, encrypt = false, underlay, mtu, far, near = far, pods: families, probed = families } = row;
  const runs = needing(...RIG, ...(isSecret(row) ? [{ file: PROGRAM }] : []));
  let rig: Rig;
  let pods: Pod[] = [];
  beforeAll(async () => {
    if (runs === test.skip) return;
    const wireguard = isSecret(row) ? { wireguard: { program: PROGRAM } } : {};
    rig = await makeRig({ underlay, cluster: { way, encrypt, ...wireguard } });
    if (way === "direct") await routeBlocks(rig, underlay);
    pods = await Promise.all(NAMES.map((name) => rig.nodes[name].add(`cl-pod-${name}`)));
  }, 120_000);
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  const pairs = () => pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => [from, to] as const));

  runs("no two pods have the same address, and all are told the same MTU", () => {
    for (const family of BOTH) expect(new Set(pods.map((pod) => pod.address[family])).size).toBe(NAMES.length);
    expect(pods.map((pod) => pod.mtu)).toEqual(NAMES.map(() => mtu));
  });

  runs.each(families)("pods' IPv%i: packets of exactly that size arrive", async (family) => {
    expect(pairs()).toHaveLength(6);
    for (const [from, to] of pairs())
      await eventually(`${from.id} reaches ${to.id}`, async () => (await fits(from, to, family, mtu)) || undefined);
  });

  runs("selvedgectl shows the way to each, and that all reach all", async () => {
    const { peers } = (await rig.nodes.a.ctl("peers")) as {
      peers: { name: string; liveness: string; ways: { way: string; mtu: number }[] }[];
    };
    expect(peers.map(({ name, liveness, ways }) => [name, liveness, ways[0]?.way, ways[0]?.mtu])).toEqual([
      ["b", "alive", ...far],
      ["c", "alive", ...far],
    ]);
    const seen = (await rig.nodes.b.ctl("peers", "c")) as { peers: { ways: { way: string; mtu: number }[] }[] };
    expect(seen.peers.map(({ ways }) => [ways[0]?.way, ways[0]?.mtu])).toEqual([near]);
    const mesh = (await rig.nodes.b.ctl("connectivity")) as { reaches: object[]; silent: string[] };
    expect(mesh.silent).toEqual([]);
    expect(mesh.reaches).toHaveLength(6);
    const { blocks } = (await rig.nodes.c.ctl("blocks")) as { blocks: { node: string; prefix: string }[] };
    for (const name of NAMES) expect(blocks.filter(({ node }) => node === name).length).toBeGreaterThanOrEqual(2);
    expect(new Set(blocks.map(({ prefix }) => prefix)).size).toBe(blocks.length);
  });

  runs("selvedgectl doctor mtu finds the MTUs right, and a place that is narrower than its nodes know", async () => {
    for (const name of NAMES) {
      const report = await eventually(`${name} asks both others`, async () => {
        const found = (await rig.nodes[name].ctl("doctor", "mtu")) as MtuReport;
        return found.unasked.length === 0 ? found : undefined;
      });
      expect(report.findings.map(({ peer, family }) => [peer, family])).toEqual(
        NAMES.filter((other) => other !== name).flatMap((other) =>
          (isNear(name, other) ? families : probed).map((family) => [other, family]),
        ),
      );
      for (const { largest, larger, right } of report.findings)
        expect({ largest, larger, right }).toEqual({ largest: "passes", larger: "too-large", right: true });
    }
    await expect(rig.nodes.a.ctl("doctor", "mtu", "--node", "a")).rejects.toThrow(
      'nodes: none is called "a"; there are b, c',
    );
    await narrow("a", 1_300);
    await expect(rig.nodes.a.ctl("doctor", "mtu", "--node", "b")).rejects.toThrow(
      new RegExp(`exit 5: .*"mtu": ${far[1]},\\s*"largest": "lost"`, "s"),
    );
  });
});

/** What the network between the nodes does for the way `direct`: it knows which node has which block. */
async function routeBlocks({ nodes }: Rig, underlay: Family): Promise<void> {
  const blocks = await eventually("every node has a block of each family", async () => {
    const { blocks } = (await nodes.a.ctl("blocks")) as { blocks: { node: Name; prefix: string }[] };
    return NAMES.every((name) => blocks.filter(({ node }) => node === name).length === 2) ? blocks : undefined;
  });
  for (const { node, prefix } of blocks)
    if (underlay === 6 || !prefix.includes(":")) await route(prefix, node, underlay);
}
