import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import type { Request } from "#lib/cni/types.ts";
import { enqueue, queue } from "./queue.ts";

const scratch = mkdtempSync(join(tmpdir(), "selvedge-queue-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let directories = 0;
const fresh = () => join(scratch, String(++directories));

const del = (containerId: string): Request => ({
  containerId,
  netns: "/run/netns/a",
  ifname: "eth0",
  args: "A=1",
  path: "/opt/cni/bin",
  config: new TextEncoder().encode('{"name":"nét"}'),
  netnsInode: 4_026_531_833,
  traceparent: "",
  tracestate: "",
  allowOwnNetns: true,
});

const never = (error: Error): never => {
  throw error;
};

test("what is queued is read back, in order, and gone when removed", async () => {
  const [first, second] = [fresh(), fresh()];
  await enqueue(del("c3"), [second], 3n);
  await enqueue(del("c1"), [first], 1n);
  await enqueue(del("c20"), [first], 20n);
  const q = queue([first, second]);
  const entries = await q.list(never);
  const requests = await Promise.all(entries.map((entry) => q.read(entry)));
  expect(requests).toEqual([del("c1"), del("c3"), del("c20")]);
  for (const entry of entries) await q.remove(entry);
  expect(await q.list(never)).toEqual([]);
});

test("the same moment keeps the order of the process", async () => {
  const directory = fresh();
  for (const id of ["a", "b", "c"]) await enqueue(del(id), [directory], 7n);
  const q = queue([directory]);
  const ids = await Promise.all((await q.list(never)).map(async (entry) => (await q.read(entry))?.containerId));
  expect(ids).toEqual(["a", "b", "c"]);
});

test("only root reads it", async () => {
  const directory = fresh();
  const path = await enqueue(del("c1"), [directory], 1n);
  expect([statSync(directory).mode & 0o777, statSync(path).mode & 0o777]).toEqual([0o700, 0o600]);
});

test("the second directory when the first cannot be written, and nothing half-written stays", async () => {
  const blocked = fresh();
  writeFileSync(blocked, "a file");
  const second = fresh();
  const path = await enqueue(del("c1"), [join(blocked, "queue"), second], 1n);
  expect(path.startsWith(second)).toBe(true);
  expect(readdirSync(second)).toHaveLength(1);
});

test("when none can be written, the error says why for each", async () => {
  const blocked = fresh();
  writeFileSync(blocked, "a file");
  await expect(enqueue(del("c1"), [`${blocked}/a`, `${blocked}/b`], 1n)).rejects.toThrow(/\/a: ENOTDIR.*\/b: ENOTDIR/);
});

test("what no plugin wrote is not read, and unfinished files are not listed", async () => {
  const directory = fresh();
  mkdirSync(directory);
  const names = ["1-1-1.del.json", "2-1-1.del.json", "3-1-1.del.json", ".4-1-1.del.json", "README"];
  const texts = ["", "[]", '{"containerId":"c1"}', JSON.stringify({ containerId: "c1", ifname: "eth0" }), "hello"];
  names.forEach((name, i) => void writeFileSync(join(directory, name), texts[i] ?? ""));
  const q = queue([directory, join(scratch, "absent")]);
  const entries = await q.list(never);
  expect(entries.map(({ name }) => name)).toEqual(names.slice(0, 3));
  expect(await Promise.all(entries.map((entry) => q.read(entry)))).toEqual([undefined, undefined, undefined]);
});

test("what cannot be read or removed now is an error that names it, and stays", async () => {
  const directory = fresh();
  mkdirSync(join(directory, "1-1-1.del.json"), { recursive: true });
  const q = queue([directory]);
  const [entry = { name: "", directory: "" }] = await q.list(never);
  await expect(q.read(entry)).rejects.toMatchObject({
    failure: { kind: "store" },
    message: expect.stringMatching(/1-1-1\.del\.json cannot be read: EISDIR/),
  });
  await expect(q.remove(entry)).rejects.toMatchObject({
    failure: { kind: "store" },
    message: expect.stringMatching(/1-1-1\.del\.json cannot be removed: /),
  });
  expect(await q.read({ directory, name: "2-1-1.del.json" })).toBeUndefined();
});

test("a directory that is there and cannot be listed is told of, and the others are listed all the same", async () => {
  const [blocked, directory] = [fresh(), fresh()];
  writeFileSync(blocked, "a file");
  await enqueue(del("c1"), [directory], 1n);
  const unread: string[] = [];
  const entries = await queue([blocked, directory]).list(({ message }) => unread.push(message));
  expect(entries.map((entry) => entry.directory)).toEqual([directory]);
  expect(unread).toEqual([expect.stringMatching(/^the queued DELs of .* cannot be listed: ENOTDIR/)]);
});

test("removing twice is fine", async () => {
  const directory = fresh();
  await enqueue(del("c1"), [directory], 1n);
  const q = queue([directory]);
  const [entry] = await q.list(never);
  if (entry === undefined) throw new Error("nothing listed");
  await q.remove(entry);
  await q.remove(entry);
});

test("a watcher is poked by a new entry and ends with its signal", async () => {
  const directory = fresh();
  const stop = new AbortController();
  const poked = Promise.withResolvers<void>();
  const watching = queue([directory]).watch(poked.resolve, stop.signal);
  const again = setInterval(() => void enqueue(del("c1"), [directory], 1n).catch(poked.reject), 20);
  await poked.promise;
  clearInterval(again);
  stop.abort();
  await watching;
});
