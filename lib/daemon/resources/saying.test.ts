import { expect, test } from "@jest/globals";
import { memory } from "#lib/store/memory.ts";
import { NETWORK, object, opened, POOL } from "./rig.ts";

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
