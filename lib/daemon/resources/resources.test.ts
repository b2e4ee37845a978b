import { expect, test } from "@jest/globals";
import { memory } from "#lib/store/memory.ts";
import type { RouterState } from "../edge/router-status.ts";
import { FILE, NETWORK, object, opened, POOL } from "./rig.ts";

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
