/** Nodes that meet in a real API server: pods reach each other, and lose nothing while it is away. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { address, contains, type Prefix } from "#lib/address.ts";
import { eventually } from "../../conformance/program.ts";
import type { Pod } from "../cluster/node.ts";
import { answers } from "../cluster/ping.ts";
import { NAMES, type Name } from "../cluster/place.ts";
import { type Meeting, meeting } from "./meeting.ts";
import { runs } from "./runs.ts";

const LIVENESS_SECONDS = 5;
const AWAY_MS = 30_000;
/** As of a pod of a StatefulSet. */
const NAME = "shop/db-0";

let met: Meeting;
const pods = new Map<Name, Pod>();
beforeAll(async () => {
  if (runs !== test.skip) met = await meeting(LIVENESS_SECONDS);
}, 240_000);
afterAll(async () => met?.[Symbol.asyncDispose](), 60_000);

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly uid: string; readonly name: string };
    readonly spec: object;
  }[];
}
const listed = async (plural: string): Promise<Listed["items"]> =>
  (JSON.parse(await met.kubernetes.kubectl(["get", plural, "--output=json"])) as Listed).items;
const uids = async (plural: string): Promise<string[]> =>
  (await listed(plural)).map(({ metadata }) => metadata.uid).sort();
interface Block {
  readonly prefix: Prefix;
  readonly node: string;
}
const blocks = async (): Promise<readonly Block[]> => (await listed("addressblocks")).map(({ spec }) => spec as Block);
/** The nodes with the blocks that the address is in. */
const ownersOf = (of: readonly Block[], text: string): string[] =>
  of.filter((block) => contains(block.prefix, address(text))).map(({ node }) => node);
/** That the store hears of, as `a` has it. */
const heardOf = async (): Promise<string[]> => {
  const { nodes } = (await met.nodes.a.ctl("nodes")) as { nodes: { name: string; heardOf: boolean }[] };
  return nodes
    .filter((each) => each.heardOf)
    .map(({ name }) => name)
    .sort();
};
const allHeardOf = () =>
  eventually("all are heard of", async () => (await heardOf()).join() === NAMES.join() || undefined);
const reached = async (): Promise<void> => {
  for (const from of pods.values())
    for (const to of pods.values())
      await eventually(`${from.id} reaches ${to.id}`, async () => (await answers(from, to, 4)) || undefined);
};
const podOn = (name: Name): Pod => {
  const pod = pods.get(name);
  if (pod === undefined) throw new Error(`no pod runs on ${name}`);
  return pod;
};
const distinct = (all: readonly Pod[]): void =>
  expect(new Set(all.map(({ address }) => address[4])).size).toBe(all.length);

runs(
  "nodes find each other, take blocks, and their pods reach each other",
  async () => {
    await allHeardOf();
    for (const name of NAMES)
      pods.set(name, await eventually(`a pod on ${name}`, () => met.nodes[name].add(`k8-meet-${name}`)));
    distinct([...pods.values()]);
    await reached();
    expect([...new Set((await blocks()).map(({ node }) => node))].sort()).toEqual([...NAMES]);
  },
  240_000,
);

runs(
  "pods that come and go on all nodes at once never share an address",
  async () => {
    const all = await Promise.all(
      NAMES.flatMap((name) =>
        Array.from({ length: 8 }, (_, i) =>
          eventually(`pod ${i} on ${name}`, () => met.nodes[name].add(`k8-many-${name}${i}`)),
        ),
      ),
    );
    distinct([...all, ...pods.values()]);
    await Promise.all(all.map(({ node, id }) => met.nodes[node].del(id)));
  },
  240_000,
);

runs(
  "a pod keeps its address on another node, and a person sees for whom it is kept",
  async () => {
    const { a, b, c } = met.nodes;
    const named = { args: { cni: { reservation: NAME } } };
    await a.ctl("reserve", NAME);
    const before = await eventually("the name on b", () => b.add("k8-meet-nb", named));
    const kept = (await listed("reservations")) as unknown as { spec: { name: string; addresses: string[] } }[];
    expect(kept.map(({ spec: { name, addresses } }) => [name, addresses])).toEqual([[NAME, [before.address[4]]]]);
    await expect(c.add("k8-meet-early", named)).rejects.toThrow(/is fixed for shop\/db-0, which is on node b still/);
    await b.del("k8-meet-nb");
    const after = await eventually("the name on c", () => c.add("k8-meet-nc", named));
    expect(after.address).toEqual(before.address);
    await eventually("an answer from c", async () => (await answers(podOn("a"), after, 4)) || undefined);
    await c.del("k8-meet-nc");
  },
  240_000,
);

runs(
  "while the API server is away pods talk, come and go; nothing was lost when it is back",
  async () => {
    const before = await uids("selvedgenodes");
    await met.kubernetes.stopServer();
    await eventually("it is noticed", async () => {
      const { storeReached } = (await met.nodes.a.ctl("nodes")) as { storeReached: boolean };
      return !storeReached || undefined;
    });
    const endMs = performance.now() + AWAY_MS;
    const came: Pod[] = [];
    for (const name of NAMES) came.push(await met.nodes[name].add(`k8-away-${name}`));
    distinct([...came, ...pods.values()]);
    await reached();
    for (const { node, id } of came) await met.nodes[node].del(id);
    await sleep(Math.max(0, endMs - performance.now()));
    await reached();
    await met.kubernetes.startServer();
    await allHeardOf();
    expect(await uids("selvedgenodes")).toEqual(before);
    const now = await blocks();
    for (const { node, address } of pods.values())
      expect([address[4], ownersOf(now, address[4])]).toEqual([address[4], [node]]);
    await reached();
    const after = await Promise.all(NAMES.map((name) => met.nodes[name].add(`k8-after-${name}`)));
    distinct([...after, ...pods.values()]);
    for (const { node, id } of after) await met.nodes[node].del(id);
  },
  300_000,
);

runs(
  "a node that is gone is heard of no more, and is itself when it is back",
  async () => {
    const before = await uids("selvedgenodes");
    await met.nodes.c.daemon.kill();
    await eventually("it is silent", async () => (await heardOf()).join() === "a,b" || undefined);
    await met.nodes.c.daemon.start();
    await allHeardOf();
    expect(await uids("selvedgenodes")).toEqual(before);
    await reached();
  },
  240_000,
);
