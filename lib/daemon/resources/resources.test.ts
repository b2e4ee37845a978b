import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { ipam } from "#lib/ipam/ipam.ts";
import type { Said, Warning } from "#lib/k8s/objects.ts";
import type { Event } from "#lib/log.ts";
import { memory } from "#lib/store/memory.ts";
import { contested } from "../contested.ts";
import type { Core } from "../core.ts";
import type { RouterState } from "../edge/router-status.ts";
import { table } from "../table.ts";
import { poolsOf } from "./pools.ts";
import { beginning, openResources } from "./resources.ts";

const FILE = `
kubernetes: { resources: true }
pools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }]
`;
const object = (kind: string, name: string, spec: object, more: object = {}) => ({
  apiVersion: "selvedge.dev/v1alpha1",
  kind,
  metadata: { name, uid: `u-${name}`, generation: 1 },
  spec,
  ...more,
});
const POOL = object("AddressPool", "media", { ranges: [[{ subnet: "10.2.0.0/24" }]] });
const NETWORK = object("Network", "media", { pool: "media" });

/** @param cluster of which the node is one; absent: it is alone */
async function opened(store = memory(), cluster?: object, file = FILE) {
  const said: string[] = [];
  /** What was said last, by name. */
  const statuses = new Map<string, readonly Said[]>();
  /** What else was said last, by name. */
  const besides = new Map<string, object>();
  /** Names that stand for other objects now. */
  const gone = new Set<string>();
  const warnings: Warning[] = [];
  const events: Event[] = [];
  /** Blocks that nodes have of every pool. */
  const taken = { blocks: 0 };
  const server = { isAway: false, isMute: false, forbids: "", refuses: "", refusals: 0 };
  const { own } = await store.load();
  /** By name: where routers that are followed have come to. */
  const routers = new Map<string, { config: { isObject?: true }; status: RouterState }>();
  const begun = beginning(parseConfig(file), file, own);
  if (begun === undefined) throw new Error("Kubernetes has no part in the configuration");
  const time = { nowMs: 0 };
  const clock = { coolDownMs: 0, nowMs: () => time.nowMs, clockUs: () => 0 };
  const core = {
    config: begun.config,
    ipam: ipam({ pools: poolsOf(begun.config, false), ...clock }),
    table: table(contested),
    store,
    log: (event: Event) => void events.push(event),
    nowMs: clock.nowMs,
    edge: { routers },
    ...(cluster === undefined
      ? {}
      : { cluster, blocks: { isShared: () => true, taken: () => taken.blocks, setPools: () => {} } }),
    objects: {
      async say({ kind, name }: { kind: string; name: string }, conditions: readonly Said[], more?: object) {
        if (server.isAway) throw new SelvedgeError({ kind: "not-ready" }, "it is away");
        if (server.refuses === name) {
          server.refusals += 1;
          throw new SelvedgeError({ kind: "config-invalid", field: "status" }, `${name} is invalid`);
        }
        if (server.forbids === kind) throw new SelvedgeError({ kind: "not-ready" }, `may not patch ${kind}: 403`);
        said.push(
          [kind, name, ...conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)].join(" "),
        );
        statuses.set(name, conditions);
        if (more !== undefined) besides.set(name, more);
        return !gone.has(name);
      },
      async warn(warning: Warning) {
        if (server.isMute) {
          server.refusals += 1;
          throw new SelvedgeError({ kind: "not-ready" }, "it takes no events");
        }
        warnings.push(warning);
      },
    },
  } as unknown as Core;
  const resources = openResources(core, begun);
  const names = () => [[...core.config.networks.keys()], core.config.pools.map(({ name }) => name)];
  const tell = (...objects: readonly { kind: string; metadata: { name: string } }[]) => {
    for (const each of objects) resources.listener.put(`${each.kind}/${each.metadata.name}`, each);
    resources.listener.told();
  };
  return {
    core,
    time,
    resources,
    routers,
    besides,
    taken,
    said,
    statuses,
    gone,
    warnings,
    events,
    server,
    store,
    names,
    tell,
  };
}

test("what is told is taken over once it is all that there is, and said of", async () => {
  const { resources, tell, names, core, said, events } = await opened();
  expect(await resources.take()).toBe(false);
  tell(NETWORK, POOL);
  expect([await resources.take(), await resources.take()]).toEqual([true, false]);
  expect(names()).toEqual([["media"], ["default", "media"]]);
  const key = { containerId: "c", ifname: "eth0" };
  expect(core.ipam.allocate({ key, pool: "media" }).leases[0]?.address).toBe("10.2.0.2");
  expect(events).toEqual([
    { event: "resources-taken", networks: ["media"], pools: ["media"], tenants: [], routers: [] },
  ]);
  await resources.say();
  expect(said).toEqual(["AddressPool media Accepted=True Accepted", "Network media Accepted=True Accepted"]);
});

test("a daemon that starts before anything is told has what was taken last, until it is told otherwise", async () => {
  const first = await opened();
  first.tell(NETWORK, POOL);
  await first.resources.take();
  const next = await opened(first.store);
  expect(next.names()).toEqual([["media"], ["default", "media"]]);
  expect([await next.resources.take(), next.names()[0]]).toEqual([false, ["media"]]);
  next.tell();
  expect([await next.resources.take(), next.names()]).toEqual([true, [[], ["default"]]]);
});

test("one that is refused is warned of, and what could not be said is said later", async () => {
  const { resources, tell, names, said, warnings, server, events } = await opened();
  tell(NETWORK, object("Network", "wrong", { mtu: 7 }));
  await resources.take();
  expect(names()[0]).toEqual([]);
  server.isAway = true;
  await resources.say();
  await resources.say();
  expect(events.filter(({ event }) => event === "resources-failed")).toHaveLength(1);
  server.isAway = false;
  await resources.say();
  expect(said).toEqual(["Network media Accepted=False Invalid", "Network wrong Accepted=False Invalid"]);
  expect(warnings.map(({ name, uid, reason, message }) => [name, uid, reason, message])).toEqual([
    ["media", "u-media", "Invalid", 'spec.pool: there is no pool "media"; known: default'],
    ["wrong", "u-wrong", "Invalid", "spec.mtu: 7 is not a whole number from 576 to 65535"],
  ]);
});

test("a warning that could not be given is given later, and what is to be said does not wait for it", async () => {
  const { time, resources, tell, said, warnings, events, server } = await opened();
  const wrong = object("Network", "wrong", { mtu: 7 });
  tell(wrong);
  await resources.take();
  server.isMute = true;
  await resources.say();
  expect([said, warnings]).toEqual([["Network wrong Accepted=False Invalid"], []]);
  const message = "spec.mtu: 7 is not a whole number from 576 to 65535";
  const condition = { type: "Accepted", status: "False", reason: "Invalid", message, observedGeneration: 1 };
  tell({ ...wrong, ...{ status: { conditions: [condition] } } });
  // Nor is it asked all the time, nor told again why it is not given.
  const asked = server.refusals;
  for (let second = 0; second < 60; second += 5) {
    time.nowMs += 5_000;
    await resources.say();
  }
  expect(server.refusals - asked).toBeLessThan(6);
  expect(events.filter(({ event }) => event === "resources-failed")).toHaveLength(1);
  server.isMute = false;
  time.nowMs += 300_000;
  await resources.say();
  await resources.say();
  expect([said.length, warnings.map(({ name }) => name)]).toEqual([1, ["wrong"]]);
});

test("a warning that is as old as a server keeps one is not given any more", async () => {
  const { time, resources, tell, warnings, events, server } = await opened();
  server.isMute = true;
  tell(object("Network", "wrong", { mtu: 7 }));
  await resources.take();
  await resources.say();
  time.nowMs += 3_599_000;
  tell(object("Network", "another", { mtu: 7 }));
  await resources.take();
  await resources.say();
  server.isMute = false;
  time.nowMs += 301_000;
  await resources.say();
  expect(warnings.map(({ name }) => name)).toContain("another");
  expect(warnings.map(({ name, atMs }) => `${name} ${atMs}`)).not.toContain("wrong 0");
  expect(events.filter(({ event }) => event === "resources-failed")).toHaveLength(1);
});

test("what may not be said of one kind is told once, and holds up no other", async () => {
  const { resources, tell, said, events, server } = await opened();
  tell(object("Tenant", "blue", {}), POOL, object("Network", "blue", { tenant: "blue", pool: "media" }));
  await resources.take();
  server.forbids = "Tenant";
  await resources.say();
  await resources.say();
  expect(new Set(said)).toEqual(
    new Set(["AddressPool media Accepted=True Accepted", "Network blue Accepted=True Accepted"]),
  );
  expect(events.flatMap((event) => (event.event === "resources-failed" ? [event.message] : []))).toEqual([
    "may not patch Tenant: 403",
  ]);
  server.forbids = "";
  await resources.say();
  expect(said).toContain("Tenant blue Accepted=True Accepted Ready=True Ready");
});

test("one of which no status is taken is tried seldom, told of once, and holds up no other of its kind", async () => {
  const { time, resources, tell, said, events, server } = await opened();
  tell(object("Network", "early", {}), object("Network", "late", {}));
  await resources.take();
  server.refuses = "early";
  await resources.say();
  await resources.say();
  expect([new Set(said), server.refusals]).toEqual([new Set(["Network late Accepted=True Accepted"]), 1]);
  const failures = () => events.filter(({ event }) => event === "resources-failed");
  expect(failures()).toEqual([{ event: "resources-failed", message: "early is invalid" }]);
  time.nowMs += 300_000;
  await resources.say();
  expect([server.refusals, failures().length]).toEqual([2, 1]);
  server.refuses = "";
  // A change of it may be what it lacked.
  tell(object("Network", "early", {}, { metadata: { name: "early", uid: "u-early", generation: 2 } }));
  await resources.say();
  expect(said).toContain("Network early Accepted=True Accepted");
});

test("how much of a pool is taken is not said anew for each block, and by no node that knows of its own alone", async () => {
  const cluster = { self: { name: "a" }, informed: true, connected: true, view: { nodes: new Map([["a", {}]]) } };
  const { resources, tell, statuses, taken } = await opened(memory(), { ...cluster, peers: new Map() });
  const messages: (string | undefined)[] = [];
  for (let i = 0; i < 9; i++) {
    const conditions = statuses.get("media") ?? [];
    tell({ ...POOL, ...{ status: { conditions } } });
    await resources.take();
    taken.blocks = i + 1;
    await resources.say();
    const now = statuses.get("media");
    if (now !== conditions) messages.push(now?.find(({ type }) => type === "InUse")?.message);
  }
  expect(messages).toEqual(["Nodes have at least 1 of its blocks.", "Nodes have at least 4 of its blocks."]);
  const alone = await opened();
  alone.tell(POOL);
  await alone.resources.take();
  alone.core.ipam.allocate({ key: { containerId: "c", ifname: "eth0" }, pool: "media" });
  await alone.resources.say();
  expect(alone.said).toEqual(["AddressPool media Accepted=True Accepted"]);
});

const KEY = { secret: { name: "edge", key: "api" } };
const ROUTER = object("Router", "far", { url: "https://192.0.2.1", key: KEY });
const STATE: RouterState = {
  phase: "failing",
  message: "no answer",
  version: "",
  writer: "a",
  revision: 0,
  lastPush: undefined,
};
test("a router is part of the configuration, goes with its object, and what it comes to is said of it", async () => {
  const { core, resources, routers, besides, tell, said, statuses } = await opened();
  const names = () => core.config.edge?.routers.map(({ name, isObject }) => [name, isObject]);
  tell(ROUTER);
  expect([await resources.take(), names()]).toEqual([true, [["far", true]]]);
  await resources.say();
  expect(said).toEqual(["Router far Accepted=True Accepted Ready=False Starting"]);
  routers.set("far", { config: { isObject: true }, status: STATE });
  await resources.say();
  expect(said.at(-1)).toBe("Router far Accepted=True Accepted Ready=False Failing Paused=False NotPaused");
  expect([statuses.get("far")?.[1]?.message, besides.get("far")]).toEqual(["no answer", { writer: "a" }]);
  const status = () => ({ status: { conditions: statuses.get("far"), ...besides.get("far") } });
  const lastPush = { revision: 1, atMs: 0, result: "done" } as const;
  routers.set("far", { config: { isObject: true }, status: { ...STATE, phase: "in-sync", message: "", lastPush } });
  tell({ ...ROUTER, ...status() });
  await resources.say();
  expect([said.length, said.at(-1)]).toEqual([
    3,
    "Router far Accepted=True Accepted Ready=True InSync Paused=False NotPaused",
  ]);
  expect(besides.get("far")).toEqual({
    writer: "a",
    lastPush: { revision: 1, time: "1970-01-01T00:00:00Z", result: "done" },
  });
  tell({ ...ROUTER, ...status() });
  await resources.say();
  expect(said).toHaveLength(3);
  resources.listener.remove("Router/far");
  tell();
  expect([await resources.take(), names()]).toEqual([true, []]);
});

test("of a router that stays ill people hear once, and other words for the same wait", async () => {
  const { time, resources, routers, tell, said, statuses, warnings } = await opened();
  const become = async (phase: RouterState["phase"], message: string) => {
    routers.set("far", { config: { isObject: true }, status: { ...STATE, phase, message } });
    tell({ ...ROUTER, ...{ status: { conditions: statuses.get("far"), writer: "a" } } });
    await resources.take();
    await resources.say();
    return said.length;
  };
  expect(await become("failing", "no answer")).toBe(1);
  expect(await become("held", "60 of 80 paths")).toBe(2);
  time.nowMs += 1_000;
  expect(await become("held", "61 of 80 paths")).toBe(2);
  time.nowMs += 10_000;
  expect(await become("held", "62 of 80 paths")).toBe(3);
  expect(await become("conflict", "protocols bgp has another AS")).toBe(4);
  expect(warnings.map(({ action, reason, message }) => [action, reason, message])).toEqual([
    ["Follow", "Held", "60 of 80 paths"],
    ["Follow", "Conflict", "protocols bgp has another AS"],
  ]);
});

test("of a router of the file's nothing is said by what is said of an object of its name", async () => {
  const file = `${FILE}edge: { routers: [{ name: far, url: "https://192.0.2.2", key: { file: /k } }] }`;
  const { resources, routers, tell, said } = await opened(memory(), undefined, file);
  routers.set("far", { config: {}, status: STATE });
  tell(ROUTER);
  await resources.take();
  await resources.say();
  expect(said).toEqual(["Router far Accepted=False NameTaken Ready=False NotAccepted"]);
});

test("of a router its writer speaks while it is there", async () => {
  const nodes = new Map(["a", "b", "c"].map((name) => [name, {}]));
  const speakers = async (writer: string, dead: readonly string[] = [], said = {}) => {
    const all = await Promise.all(
      [...nodes.keys()].map(async (name) => {
        const peers = new Map(dead.map((each) => [each, { liveness: "dead" }]));
        const cluster = { self: { name }, informed: true, connected: true, view: { nodes }, peers };
        const one = await opened(memory(), cluster);
        one.routers.set("far", { config: { isObject: true }, status: { ...STATE, writer } });
        one.tell({ ...ROUTER, ...{ status: said } });
        await one.resources.take();
        await one.resources.say();
        return one.said.length > 0 && !dead.includes(name) ? [name] : [];
      }),
    );
    return all.flat();
  };
  for (const name of nodes.keys()) expect(await speakers(name)).toEqual([name]);
  expect(await speakers("")).toHaveLength(1);
  expect(await speakers("gone")).toHaveLength(1);
  expect(await speakers("b", ["b"])).toHaveLength(1);
  // Nodes that do not know leave it to the one that was said to be.
  for (const name of nodes.keys()) expect(await speakers("", [], { writer: name })).toEqual([name]);
  expect(await speakers("c", [], { writer: "a" })).toEqual(["c"]);
  expect(await speakers("", ["b"], { writer: "b" })).toHaveLength(1);
});

test("of one that has been made anew meanwhile nobody is warned", async () => {
  const { resources, tell, warnings, gone } = await opened();
  tell(object("Network", "wrong", { mtu: 7 }));
  await resources.take();
  gone.add("wrong");
  await resources.say();
  expect(warnings).toEqual([]);
});

test("a pod that comes while it is stored that its network goes has it until it goes itself", async () => {
  const store = memory();
  const { core, resources, tell, names } = await opened(store);
  tell(NETWORK, POOL);
  await resources.take();
  const key = { containerId: "c", ifname: "eth0" };
  const commit = store.commit.bind(store);
  store.commit = async (changes) => {
    core.ipam.allocate({ key, pool: "media" });
    await commit(changes);
  };
  for (const gone of ["Network/media", "AddressPool/media"]) resources.listener.remove(gone);
  tell();
  expect(await resources.take()).toBe(true);
  expect(names()).toEqual([[], ["default", "media"]]);
  expect(core.config.pools[1]?.isLeaving).toBe(true);
  expect((await opened(store)).names()).toEqual([[], ["default", "media"]]);
  store.commit = commit;
  core.ipam.release(key);
  expect([await resources.take(), names()]).toEqual([true, [[], ["default"]]]);
});

test("what was kept and is refused at the start is kept no more once it is not told", async () => {
  const first = await opened();
  first.tell(NETWORK, POOL);
  await first.resources.take();
  const file = FILE.replace("10.1.0.0", "10.2.0.0");
  const next = await opened(first.store, undefined, file);
  expect(next.names()).toEqual([[], ["default"]]);
  next.tell();
  expect(await next.resources.take()).toBe(false);
  expect((await opened(first.store)).names()).toEqual([[], ["default"]]);
});

test("of the nodes of a cluster one speaks, another when it is dead, and none that knows too little", async () => {
  const nodes = new Map(["a", "b", "c"].map((name) => [name, {}]));
  const speakers = async (dead: readonly string[], informed = true) => {
    const all = await Promise.all(
      [...nodes.keys()].map(async (name) => {
        const peers = new Map(dead.map((each) => [each, { liveness: "dead" }]));
        const cluster = { self: { name }, informed, connected: true, view: { nodes }, peers };
        const one = await opened(memory(), cluster);
        one.tell(POOL);
        await one.resources.take();
        await one.resources.say();
        return one.said.length > 0 && !dead.includes(name) ? [name] : [];
      }),
    );
    return all.flat();
  };
  const [speaker = ""] = await speakers([]);
  expect(await speakers([])).toHaveLength(1);
  const next = await speakers([speaker]);
  expect(next).toHaveLength(1);
  expect(next).not.toContain(speaker);
  expect(await speakers([], false)).toEqual([]);
});
