import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import { type MemoryShared, space } from "#lib/store/shared-memory.ts";
import { Reach } from "#proto/selvedge_pb.ts";
import { eventually } from "../../../conformance/program.ts";
import { type Asked, type Inquiry, inquiry } from "./inquiry.ts";
import type { Listener } from "./membership.ts";
import { mesh } from "./mesh.ts";

const ended = new AbortController();
const watches: Promise<void>[] = [];
let logged: object[] = [];
afterEach(() => {
  expect(logged).toEqual([]);
  logged = [];
});

/** Hears what the store tells from now on. */
async function hearing<Of extends Listener>(shared: MemoryShared, listener: Of): Promise<Of> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const heed = (change: Parameters<Listener["heed"]>[0]) => {
    listener.heed(change);
    resolve();
  };
  watches.push(shared.watch("", heed, ended.signal, (connected) => listener.connection(connected)));
  await promise;
  return listener;
}

const nodeOf = (shared: MemoryShared, self: string, answer: (asked: Asked) => Promise<unknown>): Promise<Inquiry> =>
  hearing(shared, inquiry({ shared, self, answer, log: (event) => void logged.push(event) }));

const nothing = async (): Promise<undefined> => undefined;
const keysIn = async (shared: MemoryShared) => (await shared.list("")).map(({ key }) => key);
const isEmpty = async (shared: MemoryShared) => (await keysIn(shared)).length === 0 || undefined;

test("whoever knows an answer tells it, and nothing outlives the question, also when the proof of liveness is lost", async () => {
  const shared = space();
  const [near, far] = [shared.open(), shared.open({ livenessSeconds: 0.2 })];
  const asker = await nodeOf(near, "a", nothing);
  await nodeOf(far, "b", async ({ kind, body }) => ({ kind, body, by: "b" }));
  const told = await asker.ask({ kind: "who", body: [1] }, (all) => all.size > 0, 5_000);
  expect([...told]).toEqual([["b", { kind: "who", body: [1], by: "b" }]]);
  await eventually("question and answer are taken back", () => isEmpty(near));
  far.cut();
  await sleep(500);
  far.heal();
  await far.put("kept", "1", { whileAlive: true });
  await eventually("what is kept is there", async () => (await near.get("kept"))?.value);
  expect(await keysIn(near)).toEqual(["kept"]);
});

test("an answer that comes too late does not stay", async () => {
  const shared = space();
  const [near, far] = [shared.open(), shared.open()];
  const asker = await nodeOf(near, "a", nothing);
  const slow = Promise.withResolvers<void>();
  let answers = 0;
  await nodeOf(far, "b", async () => {
    await slow.promise;
    answers += 1;
    return "late";
  });
  expect([...(await asker.ask({ kind: "who", body: "" }, () => false, 50))]).toEqual([]);
  await eventually("the question is taken back", () => isEmpty(near));
  slow.resolve();
  await eventually("the answer came", async () => answers || undefined);
  await sleep(50);
  expect(await keysIn(near)).toEqual([]);
});

test("a question that could not be taken back is, when the store is found again", async () => {
  const shared = space();
  const near = shared.open();
  const asker = await nodeOf(near, "a", nothing);
  const asking = asker.ask({ kind: "who", body: "" }, () => false, 100);
  await eventually("the question is there", async () => (await keysIn(near))[0]);
  near.cut();
  await asking;
  await eventually("it is told that this failed", async () => logged.splice(0).length || undefined);
  near.heal();
  await eventually("the question is taken back", () => isEmpty(near));
});

test("a mesh: those who are asked tell what they see, the asker among them", async () => {
  const shared = space();
  const meshOf = async (self: string) => {
    const own = shared.open();
    const reaches = (nodes: readonly string[]) => nodes.filter((to) => to !== self).map((to) => Reach.of({ to }));
    return hearing(own, mesh({ shared: own, self, reaches, log: (event) => void logged.push(event) }));
  };
  const [a] = [await meshOf("a"), await meshOf("b"), await meshOf("c")];
  const asked = async (...nodes: string[]) =>
    Object.fromEntries([...(await a.ask(nodes, 5_000))].map(([node, seen]) => [node, seen.map(({ to }) => to)]));
  expect(await asked("a", "b")).toEqual({ a: ["b"], b: ["a"] });
  expect(await asked("b", "c")).toEqual({ b: ["c"], c: ["b"] });
  expect(await asked("a")).toEqual({ a: [] });
  const [reader] = [shared.open()];
  await eventually("nothing stays", () => isEmpty(reader));
});

test("watches end", async () => {
  ended.abort();
  await Promise.all(watches);
  expect(watches.length).toBeGreaterThan(5);
});
