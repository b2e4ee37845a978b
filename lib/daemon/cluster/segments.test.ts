import { expect, test } from "@jest/globals";
import { type Address, address, mac, prefix } from "#lib/address.ts";
import type { EndpointRecord, NodeRecord } from "#lib/cluster/records.ts";
import { endpointKey, nodeKey } from "#lib/cluster/records.ts";
import { clusterView } from "#lib/cluster/view.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Scope } from "#lib/kernel/kernel.ts";
import type { Op } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { type SegmentsOptions, type Station, segments } from "./segments.ts";

const M5 = mac("0e:00:00:00:00:05");
const ADDRESS_OF: Readonly<Record<string, Address>> = {
  a: address("192.0.2.1"),
  b: address("192.0.2.2"),
  c: address("192.0.2.3"),
};
const node = (name: string, uid = `uid-${name}`): NodeRecord => ({
  name,
  uid,
  addresses: [ADDRESS_OF[name] ?? address("192.0.2.9")],
  segments: [prefix("192.0.2.0/24")],
  ways: ["direct", "vxlan"],
  tunnelAddresses: [],
  tunnelMac: mac("02:00:00:00:00:01"),
  echoPort: 1,
  version: "1",
});
const endpoint = (at: string, sinceMs: number, more: Partial<EndpointRecord> = {}): EndpointRecord => ({
  network: "lan",
  node: at,
  uid: `uid-${at}`,
  mac: M5,
  addresses: [address("10.9.0.5")],
  sinceMs,
  ...more,
});
const STATION: Station = { network: "lan", mac: M5, addresses: [address("10.9.0.5")], sinceMs: 9 };

const keyIn = (scope: Scope, fact: Fact): string => `${scope.netns ?? ""} ${identity(fact)}`;

/** Node a, which sees b and c. */
function world() {
  const view = clusterView("a");
  const there = new Map<string, Fact>();
  const liveness = new Map<string, { liveness: "alive" | "dead" }>();
  /** Everywhere, or in a network namespace. */
  let broken: boolean | string = false;
  let areWaysBroken = false;
  /** Tenants with a router here. */
  const open = new Set<string>();
  const kernel: SegmentsOptions["kernel"] = {
    async egress(all) {
      if (areWaysBroken) throw new SelvedgeError({ kind: "kernel", errno: 5, call: "route get" }, "EIO");
      return all.map((to) => ({ to, link: "eth0", mtuBytes: 1_500, source: ADDRESS_OF.a as Address }));
    },
    look: async (scope, facts) => facts.flatMap((fact) => there.get(keyIn(scope, fact)) ?? []),
    apply: async (scope, ops) => {
      if (broken === true || broken === scope.netns)
        throw new SelvedgeError({ kind: "kernel", errno: 105, call: "fdb add" }, "ENOBUFS");
      for (const { do: verb, fact } of ops)
        if (verb === "remove") there.delete(keyIn(scope, fact));
        else there.set(keyIn(scope, fact), fact);
    },
  };
  const of = segments({
    kernel,
    scopeOf: (tenant) => (open.has(tenant) ? { netns: `/run/${tenant}` } : undefined),
    networks: [
      { network: "lan", bridge: "br9", vni: 72, facts: [], pools: ["lan"] },
      ...["blue", "green"].map((tenant, i) => ({
        network: tenant,
        tenant,
        bridge: "br0",
        vni: 73 + i,
        facts: [{ type: "link", at: "host", name: "br0", kind: "bridge", up: true } as const],
        pools: [tenant],
      })),
    ],
    view,
    ways: {
      way: "auto",
      encrypt: false,
      flowOffload: false,
      vxlan: { vni: 4_096, port: 4_789 },
      gre: { key: 1 },
      wireguard: { port: 51_830, rotateHours: 1, leadSeconds: 1 },
    },
    peers: liveness,
    own: () => node("a"),
    mtu: () => 1_450,
  });
  const take = (change: Parameters<typeof view.take>[0]) => {
    const { nodes, endpoints } = view.take(change);
    of.mark(endpoints);
    of.markNodes(nodes);
  };
  const put = (key: string, value: object) => take({ put: { key, value: JSON.stringify(value) } });
  const joins = (record: NodeRecord) => put(nodeKey(record.name), record);
  const comes = (record: EndpointRecord) => put(endpointKey(record), record);
  const lines = (ops: readonly Op[]) => ops.map(line).map((each) => each.replace(/sx[0-9a-f]{11}/, "sx"));
  for (const name of ["a", "b", "c"]) joins(node(name));
  return {
    of,
    joins,
    comes,
    leaves: (record: EndpointRecord) => take({ remove: endpointKey(record) }),
    settle: async () => lines(await of.settle()),
    die: (name: string) => {
      liveness.set(name, { liveness: "dead" });
      of.markNodes([name]);
    },
    /** The tenant's router. */
    opens: (tenant: string) => open.add(tenant),
    breakKernel: (where: boolean | string) => {
      broken = where;
    },
    breakWays: (isNow: boolean) => {
      areWaysBroken = isNow;
    },
    there: () => [...there.values()].map((fact) => line({ do: "add", fact }).replace(/sx[0-9a-f]{11}/, "sx")),
  };
}

const TUNNEL = "+ link sx vxlan up id 72 mtu 1450 master br9 quiet no-ipv6-link-local";
const BEHIND_B = [
  "+ fdb 0e:00:00:00:00:05 dev sx dst 192.0.2.2",
  "+ fdb 0e:00:00:00:00:05 dev sx master",
  "+ neigh 10.9.0.5 lladdr 0e:00:00:00:00:05 dev br9 permanent",
];

test("who comes on another node is behind the tunnel, and gone with its record", async () => {
  const { of, comes, leaves, settle, there } = world();
  of.markAll();
  expect(await settle()).toEqual([TUNNEL]);
  comes(endpoint("b", 1));
  expect(await settle()).toEqual(BEHIND_B);
  expect(await settle()).toEqual([]);
  leaves(endpoint("b", 1));
  expect(await settle()).toEqual(BEHIND_B.map((each) => each.replace("+", "-")));
  expect(there()).toEqual([TUNNEL]);
});

test("who moves is where it came last, though its last node has not said yet that it is gone", async () => {
  const { of, comes, leaves, settle, there } = world();
  of.markAll();
  comes(endpoint("b", 1));
  await settle();
  comes(endpoint("c", 2));
  expect(await settle()).toEqual([
    "- fdb 0e:00:00:00:00:05 dev sx dst 192.0.2.2",
    "+ fdb 0e:00:00:00:00:05 dev sx dst 192.0.2.3",
  ]);
  leaves(endpoint("b", 1));
  expect(await settle()).toEqual([]);
  expect(there()).toHaveLength(4);
});

test("who is here is nowhere else, before anybody has heard of it", async () => {
  const { of, comes, settle, there } = world();
  of.markAll();
  comes(endpoint("b", 1));
  await settle();
  expect(of.stations([STATION])).toBe(true);
  expect(of.stations([STATION])).toBe(false);
  await settle();
  expect(there()).toEqual([TUNNEL]);
  of.stations([]);
  expect(await settle()).toEqual(BEHIND_B);
});

test("an endpoint of a dead node is known to nobody, and neither is one of a machine before", async () => {
  const { of, joins, comes, settle, die, there } = world();
  of.markAll();
  comes(endpoint("b", 1));
  comes(endpoint("c", 1, { mac: mac("0e:00:00:00:00:06"), addresses: [address("10.9.0.6")] }));
  await settle();
  die("b");
  joins(node("c", "another"));
  await settle();
  expect(there()).toEqual([TUNNEL]);
});

const IN_ROUTER = [
  "+ link br0 [pod] bridge up",
  "+ link sx [pod] vxlan up id 73 mtu 1450 master br0 quiet no-ipv6-link-local",
  "+ fdb 0e:00:00:00:00:05 dev sx [pod] dst 192.0.2.2",
  "+ fdb 0e:00:00:00:00:05 dev sx [pod] master",
  "+ neigh 10.9.0.5 lladdr 0e:00:00:00:00:05 dev br0 [pod] permanent",
];

test("a tenant's segment is in its router, whose facts are there for whoever opens it", async () => {
  const { of, comes, settle, opens, there } = world();
  of.markAll();
  comes(endpoint("b", 1, { network: "blue" }));
  expect(await settle()).toEqual([TUNNEL]);
  const lines = of.facts("blue").map((fact) => line({ do: "add", fact }).replace(/sx[0-9a-f]{11}/, "sx"));
  expect(lines).toEqual(IN_ROUTER);
  expect(of.facts("blue").flatMap((fact) => (fact.type === "link" ? [fact.underlay] : []))).toEqual([
    undefined,
    "host",
  ]);
  expect(of.facts("green")).toHaveLength(2);
  expect(of.facts().map(({ at }) => at)).toEqual(["host"]);
  opens("blue");
  of.markAll();
  await settle();
  expect(there()).toEqual([TUNNEL]);
});

test("two tenants have the same address on bridges of the same name, and each forgets its own", async () => {
  const { of, comes, leaves, settle, opens } = world();
  opens("blue");
  opens("green");
  of.markAll();
  await settle();
  for (const network of ["blue", "green"]) {
    comes(endpoint("b", 1, { network }));
    expect(await settle()).toEqual(IN_ROUTER.slice(2));
  }
  leaves(endpoint("b", 1, { network: "blue" }));
  expect(await settle()).toEqual(IN_ROUTER.slice(2).map((each) => each.replace("+", "-")));
  expect(of.facts("blue")).toHaveLength(2);
  expect(of.facts("green")).toHaveLength(5);
});

test("what failed is tried again", async () => {
  const { of, comes, settle, breakKernel, there } = world();
  of.markAll();
  comes(endpoint("b", 1));
  breakKernel(true);
  await expect(settle()).rejects.toThrow("ENOBUFS");
  breakKernel(false);
  expect(await settle()).toEqual([TUNNEL, ...BEHIND_B]);
  expect(there()).toHaveLength(4);
});

test("what is to be there is known once the ways are, and a router that fails keeps no other tenant waiting", async () => {
  const { of, comes, settle, opens, breakKernel, breakWays } = world();
  opens("blue");
  opens("green");
  for (const network of ["blue", "green"]) comes(endpoint("b", 1, { network }));
  breakWays(true);
  await expect(settle()).rejects.toThrow("EIO");
  expect([of.isKnown, of.facts("green")]).toEqual([false, []]);
  breakWays(false);
  breakKernel("/run/blue");
  await expect(settle()).rejects.toThrow("ENOBUFS");
  expect(of.isKnown).toBe(true);
  await expect(settle()).rejects.toThrow("ENOBUFS");
  breakKernel(false);
  expect(await settle()).toEqual(IN_ROUTER);
  expect(await settle()).toEqual([]);
});
