import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import { endpointKey, nodeKey } from "#lib/cluster/records.ts";
import { clusterView } from "#lib/cluster/view.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Revision, SharedChange } from "#lib/store/shared.ts";
import type { Station } from "./segments.ts";
import { stations } from "./stations.ts";

const GRACE_MS = 1_000;
const station = (n: number): Station => ({
  network: "lan",
  mac: mac(`0e:00:00:00:00:0${n}`),
  addresses: [address(`10.9.0.${n}`)],
  sinceMs: n,
});
const keyOf = (n: number, node = "a") => endpointKey({ ...station(n), node });
const textOf = (n: number, node: string, uid: string) => JSON.stringify({ node, uid, ...station(n) });

/** Node a by a store in memory, which tells of what was done when it is asked to. */
function world() {
  const entries = new Map<string, string>();
  const untold: SharedChange[] = [];
  const calls: string[] = [];
  const log: string[] = [];
  const state = { away: false, nowMs: 0, own: [] as Station[] };
  const view = clusterView("a");
  const entry = (key: string) => ({ key, value: entries.get(key) ?? "", revision: "1" as Revision });
  const reached = (call: string) => {
    if (state.away) throw new SelvedgeError({ kind: "store" }, "away");
    calls.push(call);
  };
  const of = stations({
    self: { node: "a", uid: "u1" },
    shared: {
      put: async (key, value) => {
        reached(`put ${key}`);
        entries.set(key, value);
        untold.push({ put: entry(key) });
        return "1" as Revision;
      },
      remove: async (key) => {
        reached(`remove ${key}`);
        entries.delete(key);
        untold.push({ remove: key });
        return true;
      },
    },
    view,
    own: () => state.own,
    log: (event) => void log.push(JSON.stringify(event)),
    clockMs: () => state.nowMs,
    graceMs: GRACE_MS,
  });
  const hear = (change: SharedChange) => {
    of.heed(change);
    view.take(change);
  };
  return {
    state,
    log,
    entries,
    tell: () => {
      for (const change of untold.splice(0)) hear(change);
    },
    list: () => hear({ all: [...entries.keys()].map(entry) }),
    connection: of.connection,
    async tend() {
      await of.tend();
      return calls.splice(0);
    },
  };
}

function joined() {
  const of = world();
  of.entries.set(nodeKey("a"), JSON.stringify(nodeOf("a", "u1")));
  of.connection(true);
  of.list();
  return of;
}
const nodeOf = (name: string, uid: string) => ({
  ...{ name, uid, addresses: [], segments: [], ways: [], tunnelAddresses: [] },
  ...{ tunnelMac: "02:00:00:00:00:01", echoPort: 1, version: "1" },
});

test("what is here is said once, and taken back when it goes, heard of or not", async () => {
  const { state, tend, tell } = joined();
  state.own = [station(1), station(2)];
  expect(await tend()).toEqual([`put ${keyOf(1)}`, `put ${keyOf(2)}`]);
  expect(await tend()).toEqual([]);
  state.own = [station(2)];
  expect(await tend()).toEqual([`remove ${keyOf(1)}`]);
  tell();
  expect(await tend()).toEqual([]);
});

test("while the store is away nothing is lost, and nothing is said before it has told what it has", async () => {
  const of = world();
  of.state.own = [station(1)];
  expect(await of.tend()).toEqual([]);
  of.connection(true);
  expect(await of.tend()).toEqual([]);
  of.list();
  of.state.away = true;
  expect(await of.tend()).toEqual([]);
  expect(of.log).toEqual(['{"event":"cluster-failed","message":"away"}']);
  of.state.away = false;
  expect(await of.tend()).toEqual([`put ${keyOf(1)}`]);
});

test("what somebody took away is said again; what a machine of this name said before is not left", async () => {
  const of = joined();
  of.state.own = [station(1)];
  await of.tend();
  of.tell();
  of.entries.delete(keyOf(1));
  of.entries.set(keyOf(3), textOf(3, "a", "before"));
  of.list();
  expect(await of.tend()).toEqual([`put ${keyOf(1)}`, `remove ${keyOf(3)}`]);
});

test("endpoints of a node that is gone for good are forgotten after the grace, those of one that is away are not", async () => {
  const of = joined();
  of.entries.set(keyOf(1, "b"), textOf(1, "b", "ub"));
  of.entries.set(keyOf(2, "c"), textOf(2, "c", "uc"));
  of.entries.set(nodeKey("c"), JSON.stringify(nodeOf("c", "uc")));
  of.list();
  expect(await of.tend()).toEqual([]);
  of.state.nowMs = GRACE_MS - 1;
  expect(await of.tend()).toEqual([]);
  of.state.nowMs = GRACE_MS;
  expect(await of.tend()).toEqual([`remove ${keyOf(1, "b")}`]);
});
