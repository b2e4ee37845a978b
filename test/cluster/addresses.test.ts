/** Addresses of a cluster by real daemons and a real etcd: blocks, a pod that moves with its address, and etcd away. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { answers } from "./ping.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";

const runs = needing(...RIG);
let rig: Rig;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4 });
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const NAMED = { args: { cni: { reservation: "vm:db" } } };

interface Block {
  readonly prefix: string;
  readonly node: string;
}
const blocksOf = async (on: "a" | "b" | "c"): Promise<Block[]> =>
  ((await rig.nodes[on].ctl("blocks")) as { blocks: Block[] }).blocks;

runs("every node has a block of each family, and all are told the same", async () => {
  const seen = await eventually("six blocks", async () => {
    const blocks = await blocksOf("a");
    return ["a", "b", "c"].every((node) => blocks.filter((each) => each.node === node).length >= 2)
      ? blocks
      : undefined;
  });
  const text = (blocks: readonly Block[]) => blocks.map(({ prefix, node }) => `${prefix} ${node}`).sort();
  expect(new Set(seen.map(({ prefix }) => prefix)).size).toBe(seen.length);
  expect(text(await blocksOf("b"))).toEqual(text(seen));
});

runs("a pod keeps its address on another node, and is reached there", async () => {
  const { a, b, c } = rig.nodes;
  await a.ctl("reserve", "vm:db");
  const client = await a.add("cl-ad-client");
  const before = await eventually("the name on b", () => b.add("cl-ad-b", NAMED));
  await eventually("an answer from b", async () => (await answers(client, before, 4)) || undefined);
  await expect(c.add("cl-ad-early", NAMED)).rejects.toThrow(/is fixed for vm:db, which is on node b still/);
  await b.del("cl-ad-b");
  const after = await eventually("the name on c", () => c.add("cl-ad-c", NAMED));
  expect(after.address).toEqual(before.address);
  await eventually("an answer from c", async () => (await answers(client, after, 4)) || undefined);
  await eventually("and by IPv6", async () => (await answers(client, after, 6)) || undefined);
});

runs("while etcd is away pods come and go, over a restart of the daemon, too", async () => {
  const { a } = rig.nodes;
  await rig.etcd.stop();
  try {
    const one = await a.add("cl-ad-one");
    await a.del("cl-ad-one");
    await a.daemon.kill();
    await a.daemon.start();
    const two = await a.add("cl-ad-two");
    expect(two.address[4]).not.toBe(one.address[4]);
  } finally {
    await rig.etcd.start();
  }
});
