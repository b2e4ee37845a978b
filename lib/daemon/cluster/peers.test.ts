import { expect, test } from "@jest/globals";
import { type Address, address, mac, prefix } from "#lib/address.ts";
import type { Liveness } from "#lib/cluster/liveness.ts";
import { blockKey, type NodeRecord, nodeKey } from "#lib/cluster/records.ts";
import { clusterView } from "#lib/cluster/view.ts";
import { isChosen } from "#lib/cluster/ways.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Egress } from "#lib/kernel/kernel.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { type PeersOptions, peers } from "./peers.ts";

const NUMBER: Readonly<Record<string, number>> = { a: 1, b: 2, c: 3 };
const record = (name: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  name,
  uid: `uid-${name}`,
  addresses: [address(`192.0.2.${NUMBER[name]}`)],
  segments: [],
  ways: ["direct", "vxlan"],
  tunnelAddresses: [],
  tunnelMac: mac(`02:00:00:00:00:0${NUMBER[name]}`),
  echoPort: 1,
  version: "1",
  ...more,
});

/** Node a with peers b and c, each with a block. */
function world() {
  const view = clusterView("a");
  const there = new Map<string, Fact>();
  const state = {
    own: record("a"),
    mtuBytes: 1_500,
    reached: new Set(["192.0.2.2", "192.0.2.3"]),
    liveness: new Map<string, Liveness>(),
    isBroken: false,
    asked: [] as string[],
  };
  const kernel: PeersOptions["kernel"] = {
    egress: async (all) => {
      state.asked.push(...all);
      const source = address("192.0.2.1");
      const of = (to: Address): Egress => ({ to, link: "eth0", mtuBytes: state.mtuBytes, source });
      return all.filter((to) => state.reached.has(to)).map(of);
    },
    look: async (_scope, facts) => facts.flatMap((fact) => there.get(identity(fact)) ?? []),
    apply: async (_scope, ops) => {
      if (state.isBroken) throw new SelvedgeError({ kind: "kernel", errno: 105, call: "route add" }, "ENOBUFS");
      for (const { do: verb, fact } of ops)
        if (verb === "remove") there.delete(identity(fact));
        else there.set(identity(fact), fact);
    },
  };
  const of = peers({
    kernel,
    view,
    ways: {
      way: "auto",
      encrypt: false,
      vxlan: { vni: 4_096, port: 4_789 },
      gre: { key: 1 },
      wireguard: { port: 51_830, rotateHours: 1, leadSeconds: 1 },
    },
    own: () => state.own,
    livenessOf: ({ name }) => state.liveness.get(name) ?? "alive",
    keys: { active: undefined, inUse: () => undefined },
  });
  const put = (key: string, value: object) => of.mark(view.take({ put: { key, value: JSON.stringify(value) } }).nodes);
  const remove = (key: string) => of.mark(view.take({ remove: key }).nodes);
  const block = (name: string, of = `10.1.${NUMBER[name]}.0/24`) => {
    const [pool, net] = ["std", prefix(of)];
    const value = { pool, prefix: net, node: name, uid: `uid-${name}`, lent: {}, fixed: [], writes: 1 };
    put(blockKey(pool, net), value);
    return blockKey(pool, net);
  };
  for (const name of ["a", "b", "c"]) {
    put(nodeKey(name), record(name));
    block(name);
  }
  return {
    of,
    state,
    put,
    remove,
    block,
    settle: async () => (await of.settle()).map(line),
    routes: () =>
      [...there.values()].flatMap((fact) => (fact.type === "route" ? [`${fact.to} ${fact.mtu ?? ""}`] : [])).sort(),
    links: () => [...there.values()].flatMap((fact) => (fact.type === "link" ? [`${fact.name} ${fact.mtu}`] : [])),
  };
}

test("each peer has a way and routes, this node has none to itself, and a second look finds nothing to do", async () => {
  const { of, settle, routes, links } = world();
  await settle();
  expect([...of.all.keys()]).toEqual(["b", "c"]);
  for (const { ways } of of.all.values()) expect(isChosen(ways[4]) && ways[4].way).toBe("vxlan");
  expect(routes()).toEqual(["10.1.2.0/24 1450", "10.1.3.0/24 1450"]);
  expect(links()).toEqual(["svx4 1450"]);
  expect(of.isUnderlay("eth0")).toBe(true);
  expect(of.settled).toBe(true);
  expect(await settle()).toEqual([]);
});

test("only what has changed is looked at", async () => {
  const { state, block, settle } = world();
  await settle();
  state.asked = [];
  block("b", "10.1.9.0/24");
  const done = await settle();
  expect(done.filter((each) => each.includes("route")).length).toBe(1);
  expect(state.asked).toEqual(["192.0.2.2"]);
});

test("routes to a dead peer are withdrawn, and back when it answers", async () => {
  const { of, state, settle, routes } = world();
  await settle();
  state.liveness.set("b", "dead");
  of.mark(["b"]);
  await settle();
  expect(routes()).toEqual(["10.1.3.0/24 1450"]);
  expect(of.all.get("b")?.liveness).toBe("dead");
  state.liveness.set("b", "silent");
  of.mark(["b"]);
  await settle();
  expect(routes()).toHaveLength(2);
});

test("a peer that is gone leaves nothing but what others share with it", async () => {
  const { of, remove, settle, routes, links } = world();
  await settle();
  remove(nodeKey("b"));
  await settle();
  expect([...of.all.keys()]).toEqual(["c"]);
  expect(routes()).toEqual(["10.1.3.0/24 1450"]);
  expect(links()).toEqual(["svx4 1450"]);
  remove(nodeKey("c"));
  await settle();
  expect([routes(), links()]).toEqual([[], []]);
});

test("a smaller MTU of the device is that of routes and tunnel at once", async () => {
  const { of, state, settle, routes, links } = world();
  await settle();
  state.mtuBytes = 1_400;
  of.markAll();
  await settle();
  expect(routes()).toEqual(["10.1.2.0/24 1350", "10.1.3.0/24 1350"]);
  expect(links()).toEqual(["svx4 1350"]);
});

test("a peer that no route leads to has no way, with the reason", async () => {
  const { of, state, settle, routes } = world();
  state.reached.delete("192.0.2.2");
  of.markAll();
  await settle();
  expect(of.all.get("b")?.ways[4]).toEqual({ reason: "no route to b" });
  expect(routes()).toEqual(["10.1.3.0/24 1450"]);
});

test("what failed is tried again as a whole", async () => {
  const { of, state, settle, routes } = world();
  state.isBroken = true;
  await expect(settle()).rejects.toThrow("ENOBUFS");
  expect(of.settled).toBe(false);
  state.isBroken = false;
  expect((await settle()).length).toBeGreaterThan(0);
  expect(routes()).toHaveLength(2);
  expect(of.settled).toBe(true);
});

test("what several want goes with the last of them", async () => {
  const { of, settle } = world();
  await settle();
  const facts = of.facts();
  expect(new Set(facts.map(identity)).size).toBe(facts.length);
  expect(facts.filter((fact) => fact.type === "link")).toHaveLength(1);
});
