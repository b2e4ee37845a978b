import { expect, test } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import { aliveKey, blockKey, fixedKey, type NodeRecord, nodeKey } from "#lib/cluster/records.ts";
import { clusterView } from "#lib/cluster/view.ts";
import { SAMPLE_WAYS } from "#lib/config/sample-ways.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Op } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import { peers } from "./peers.ts";

const two = (n: number): string => n.toString(16).padStart(2, "0");
const node = (n: number): NodeRecord => ({
  name: `n${n}`,
  uid: `uid-${n}`,
  addresses: [address(`198.18.${n >> 8}.${n & 255}`)],
  segments: [],
  ways: ["direct", "vxlan"],
  tunnelAddresses: [],
  tunnelMac: mac(`02:00:00:00:${two(n >> 8)}:${two(n & 255)}`),
  echoPort: 4_796,
  version: "1",
});
const networkOf = (n: number) => prefix(`10.64.${n >> 8}.${n & 255}/32`);
/** Of none of the nodes' networks. */
const MOVING = address("10.65.0.9");
const put = (key: string, record: object) => ({ put: { key, value: JSON.stringify(record) } });

/** @param refuses a route to this network is not taken */
function rig(refuses?: string) {
  const applied: Op[][] = [];
  const looked: (readonly Fact[])[] = [];
  const view = clusterView("self");
  const all = peers({
    kernel: {
      egress: async (to) =>
        to.map((each) => ({ to: each, link: "eth0", mtuBytes: 1_500, source: address("198.18.255.1") })),
      look: async (_scope, facts) => {
        looked.push(facts);
        return [];
      },
      apply: async (_scope, ops) => {
        if (ops.some(({ fact }) => fact.type === "route" && fact.to === refuses))
          throw new SelvedgeError({ kind: "kernel", call: "route add", errno: 22 }, "route add: EINVAL");
        applied.push([...ops]);
      },
    },
    view,
    ways: SAMPLE_WAYS,
    own: () => ({ ...node(65_000), name: "self" }),
    livenessOf: () => "alive",
    keys: { active: undefined, inUse: () => undefined },
    answering: false,
  });
  const join = (n: number): void => {
    const block = { pool: "default", prefix: networkOf(n), node: `n${n}`, uid: `uid-${n}`, lent: {}, fixed: [] };
    for (const change of [
      put(nodeKey(`n${n}`), node(n)),
      put(aliveKey(`n${n}`), { uid: `uid-${n}` }),
      put(blockKey("default", networkOf(n)), { ...block, writes: 1 }),
    ])
      all.mark(view.take(change).nodes);
  };
  const routes = (): string[] =>
    applied.flat().flatMap(({ do: verb, fact }) => (verb === "add" && fact.type === "route" ? [fact.to] : []));
  return { all, view, applied, looked, join, routes };
}

test("thousands go to the kernel in groups, and other work comes in between", async () => {
  const { all, applied, join, routes } = rig();
  for (let n = 0; n < 2_000; n++) join(n);
  let turns = 0;
  const other = setInterval(() => turns++, 0);
  await all.settle();
  clearInterval(other);
  expect(routes().length).toBe(2_000);
  expect(applied.length).toBe(16);
  expect(turns).toBeGreaterThan(0);
  expect(all.settled).toBe(true);
});

test("what one peer changes is looked at alone, however many there are", async () => {
  const { all, looked, join } = rig();
  for (let n = 0; n < 2_000; n++) join(n);
  await all.settle();
  looked.length = 0;
  join(2_000);
  const ops = await all.settle();
  expect(looked.map((facts) => facts.length)).toEqual([4]);
  expect(ops.map(({ fact }) => fact.type)).toEqual(["element", "forward", "neighbour", "route"]);
});

test("an address that moves from one peer to another is not taken away", async () => {
  const { all, view, join } = rig();
  const fixed = (holder: number): void => {
    const on = { name: "vm:db", node: `n${holder}`, uid: `uid-${holder}`, writes: 1 };
    all.mark(view.take(put(fixedKey("default", MOVING), { pool: "default", address: MOVING, ...on })).nodes);
  };
  for (const n of [1, 2]) join(n);
  for (const [from, to] of [
    [1, 2],
    [2, 1],
  ] as const) {
    fixed(from);
    await all.settle();
    fixed(to);
    const ops = await all.settle();
    expect(ops.filter((op) => op.do === "remove")).toEqual([]);
    expect(ops.map(({ fact }) => identity(fact))).toContain(`neighbour host svx4 ${MOVING}`);
  }
});

test("what the kernel refuses of one peer keeps only its group waiting, and is tried again", async () => {
  const { all, join, routes } = rig(networkOf(3));
  for (let n = 0; n < 500; n++) join(n);
  await expect(all.settle()).rejects.toThrow("route add: EINVAL");
  expect(routes().length).toBe(375);
  expect(all.settled).toBe(false);
  await expect(all.settle()).rejects.toThrow("route add: EINVAL");
});
