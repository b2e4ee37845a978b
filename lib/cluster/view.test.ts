import { expect, test } from "@jest/globals";
import type { BlockRecord, FixedRecord, NodeId, NodeRecord } from "./records.ts";
import { type ClusterView, clusterView, type Known } from "./view.ts";

const node = (name: string, uid = `${name}-1`): Known => ({
  key: `nodes/${name}`,
  value: JSON.stringify({
    name,
    uid,
    addresses: ["192.0.2.1"],
    mtuBytes: 9_000,
    segments: ["192.0.2.0/24"],
    ways: ["direct", "vxlan"],
    tunnelMac: "02:00:00:00:00:01",
    tunnelAddresses: [],
    echoPort: 4796,
    version: "1",
  } satisfies Record<keyof Omit<NodeRecord, "wireguard">, unknown>),
});

const block = (prefix: string, owner: string, more: { uid?: string; lent?: Record<string, NodeId> } = {}): Known => ({
  key: `blocks/std/${prefix.replace("/", "-")}`,
  value: JSON.stringify({
    pool: "std",
    prefix,
    node: owner,
    uid: `${owner}-1`,
    lent: {},
    fixed: [],
    writes: 1,
    ...more,
  } satisfies Record<keyof BlockRecord, unknown>),
});

const fixed = (address: string, holder?: string): Known => ({
  key: `fixed/std/${address}`,
  value: JSON.stringify({
    pool: "std",
    address,
    name: "default/db-0",
    ...(holder === undefined ? {} : { node: holder, uid: `${holder}-1` }),
  } satisfies Partial<Record<keyof FixedRecord, unknown>>),
});

const alive = (name: string, uid = `${name}-1`): Known => ({ key: `alive/${name}`, value: JSON.stringify({ uid }) });

function viewOf(...all: Known[]): ClusterView {
  const view = clusterView("self");
  view.take({ all });
  return view;
}
const reached = (view: ClusterView, name: string) => view.destinationsOf(name).map(({ prefix }) => prefix);

test("a list makes the view, and names everyone in it", () => {
  const view = clusterView("self");
  const { nodes, refused } = view.take({
    all: [node("a"), node("self"), block("10.1.0.0/26", "a"), alive("a"), fixed("10.1.9.9", "a"), fixed("10.1.9.8")],
  });
  expect(nodes).toEqual(new Set(["a", "self"]));
  expect(refused).toEqual([]);
  expect([...view.nodes.keys()]).toEqual(["a", "self"]);
  expect(view.alive.get("a")).toBe("a-1");
  expect(reached(view, "a")).toEqual(["10.1.0.0/26", "10.1.9.9/32"]);
});

test("one record changes what is known of those that it names", () => {
  const view = viewOf(node("a"), node("b"), block("10.1.0.0/26", "a"));
  expect(view.take({ put: block("10.1.0.64/26", "b") }).nodes).toEqual(new Set(["b"]));
  expect(view.take({ put: block("10.1.0.0/26", "b") }).nodes).toEqual(new Set(["a", "b"]));
  expect(reached(view, "a")).toEqual([]);
  expect(reached(view, "b")).toEqual(["10.1.0.0/26", "10.1.0.64/26"]);
  expect(view.take({ remove: "blocks/std/10.1.0.64-26" }).nodes).toEqual(new Set(["b"]));
  expect(view.take({ remove: "blocks/std/10.1.0.64-26" }).nodes).toEqual(new Set());
});

test("an address that is lent is reached by the node that has it, and the block by its owner", () => {
  const view = viewOf(
    node("a"),
    node("b"),
    block("10.1.0.0/26", "a", { lent: { "10.1.0.7": { node: "b", uid: "b-1" } } }),
  );
  expect(reached(view, "a")).toEqual(["10.1.0.0/26"]);
  expect(reached(view, "b")).toEqual(["10.1.0.7/32"]);
  expect(view.take({ put: block("10.1.0.0/26", "a") }).nodes).toEqual(new Set(["b"]));
  expect(reached(view, "b")).toEqual([]);
});

test("a fixed address goes with its pod", () => {
  const view = viewOf(node("a"), node("b"), fixed("10.1.9.9", "a"));
  expect(view.take({ put: fixed("10.1.9.9", "b") }).nodes).toEqual(new Set(["a", "b"]));
  expect([reached(view, "a"), reached(view, "b")]).toEqual([[], ["10.1.9.9/32"]]);
  expect(view.take({ put: fixed("10.1.9.9") }).nodes).toEqual(new Set(["b"]));
  expect(reached(view, "b")).toEqual([]);
});

test("what the node of that name had before does not lead to the one that has it now", () => {
  const view = viewOf(node("a"), block("10.1.0.0/26", "a"));
  expect(view.take({ put: node("a", "a-2") }).nodes).toEqual(new Set(["a"]));
  expect(reached(view, "a")).toEqual([]);
  view.take({ put: block("10.1.0.64/26", "a", { uid: "a-2" }) });
  expect(reached(view, "a")).toEqual(["10.1.0.64/26"]);
});

test("the same again is no change, in a list either", () => {
  const all = [node("a"), alive("a"), block("10.1.0.0/26", "a"), fixed("10.1.9.9", "a")];
  const view = viewOf(...all);
  for (const change of [{ all }, ...all.map((put) => ({ put }))])
    expect(view.take(change)).toEqual({
      nodes: new Set(),
      egress: new Set(),
      endpoints: new Set(),
      refused: [],
      kept: [],
    });
});

test("a record that cannot be read is told of, and the one before it stays", () => {
  const view = viewOf(node("a"), block("10.1.0.0/26", "a"));
  const bad = [
    { key: "nodes/a", value: "{" },
    { key: "nodes/b", value: '{"name":"b"}' },
    { key: "blocks/std/10.1.0.0-26", value: '{"pool":"std","prefix":"ten","node":"a","uid":"a-1"}' },
  ];
  const { refused, nodes } = view.take({ all: [...bad, node("c")] });
  expect(nodes).toEqual(new Set(["c"]));
  expect(refused.map(({ key, message }) => `${key}: ${message}`)).toEqual([
    'nodes/a: nodes/a: "{" is not JSON',
    "nodes/b: nodes/b.uid: is missing; it must be a string",
    'blocks/std/10.1.0.0-26: blocks/std/10.1.0.0-26.prefix: "ten" is not an address with a prefix length such as "10.1.0.5/16" or "fd00::5/64"',
  ]);
  expect(reached(view, "a")).toEqual(["10.1.0.0/26"]);
});

test("records of others are none of its business, and what newer versions add does no harm", () => {
  const view = viewOf();
  const record = JSON.parse(node("a").value);
  const newer = { ...record, ways: ["quantum", "vxlan"], colour: "blue" };
  const { refused } = view.take({
    all: [
      { key: "reservations/std/x", value: "?" },
      { key: "nodes/a", value: JSON.stringify(newer) },
    ],
  });
  expect(refused).toEqual([]);
  expect(view.nodes.get("a")).toMatchObject({ ...record, ways: ["vxlan"] });
  expect(view.nodes.get("a")).not.toHaveProperty("colour");
});

test("a list without anybody does not take everybody away, until it is believed", () => {
  const view = viewOf(node("self"), node("a"), alive("a"), block("10.1.0.0/26", "a"));
  // This node has written itself again already; whom the store hears of, it says.
  expect(view.take({ all: [node("self")] }).nodes).toEqual(new Set(["a"]));
  expect([view.doubted, view.nodes.has("a"), view.alive.has("a")]).toEqual([2, true, false]);
  expect(reached(view, "a")).toEqual(["10.1.0.0/26"]);
  // Whoever comes back is doubted no more.
  view.take({ put: node("a") });
  expect(view.doubted).toBe(1);
  expect(view.believe().nodes).toEqual(new Set(["a"]));
  expect([view.doubted, view.nodes.has("a"), reached(view, "a")]).toEqual([0, true, []]);
});

test("a list with somebody is believed at once", () => {
  const view = viewOf(node("a"), node("b"), block("10.1.0.0/26", "a"));
  expect(view.take({ all: [node("b")] }).nodes).toEqual(new Set(["a"]));
  expect([view.doubted, view.nodes.has("a")]).toEqual([0, false]);
});

test("what is kept is enough to begin with again; who was alive is not", () => {
  const view = clusterView("self");
  const kept = new Map<string, string>();
  const changes = [
    { all: [node("a"), alive("a"), block("10.1.0.0/26", "a")] },
    { put: node("b") },
    { put: fixed("10.1.9.9", "b") },
    { remove: "blocks/std/10.1.0.0-26" },
  ];
  for (const change of changes)
    for (const each of view.take(change).kept) {
      if ("put" in each) kept.set(each.put.key, each.put.value);
      else kept.delete(each.remove);
    }
  const again = clusterView("self");
  again.take({ all: Array.from(kept, ([key, value]) => ({ key, value })) });
  expect(again.nodes).toEqual(view.nodes);
  expect([...again.nodes.keys()].map((name) => reached(again, name))).toEqual([[], ["10.1.9.9/32"]]);
  expect(again.alive.size).toBe(0);
});

test("addresses of a pool that is not routed are reached by no node", () => {
  for (const [isRouted, prefixes] of [
    [true, ["10.1.0.0/26"]],
    [false, []],
  ] as const) {
    const view = clusterView("self", (pool) => pool !== "std" || isRouted);
    view.take({ all: [node("a"), block("10.1.0.0/26", "a")] });
    expect(view.destinationsOf("a").map(({ prefix }) => prefix)).toEqual(prefixes);
  }
});
