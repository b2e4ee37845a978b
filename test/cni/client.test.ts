import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status as Status } from "@grpc/grpc-js";
import { afterAll, expect, test } from "@jest/globals";
import { call } from "#lib/api/client.ts";
import { decodeReply, encodeRequest } from "#lib/api/message.ts";
import { isFailure } from "#lib/errors.ts";
import { stubDaemon } from "./stub-daemon.ts";

const scratch = mkdtempSync(join(tmpdir(), "selvedge-client-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let sockets = 0;
const socketPath = () => join(scratch, `${++sockets}.sock`);

const request = (config: string) =>
  encodeRequest({
    containerId: "c1",
    netns: "/run/netns/a",
    ifname: "eth0",
    args: "",
    path: "/opt/cni/bin",
    config: new TextEncoder().encode(config),
    netnsInode: 4_026_531_833,
    traceparent: "",
    tracestate: "",
    allowOwnNetns: false,
  });
const add = (path: string, config = "{}", deadlineMs = 5_000) =>
  call(path, "/selvedge.v1.Node/Add", request(config), { deadlineMs });

async function failureOf(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (isFailure(error)) return { ...error.failure, message: error.message };
    throw error;
  }
  throw new Error("it did not fail");
}

test.each([0, 100, 16_380, 70_000, 3_000_000])("a request and a reply of %i bytes", async (length) => {
  const path = socketPath();
  await using daemon = await stubDaemon(path, {
    Add: ({ config }, answer) => answer(null, { result: Buffer.from(config.toUpperCase()) }),
  });
  const reply = decodeReply(await add(path, "x".repeat(length)));
  expect(new TextDecoder().decode(reply.result)).toBe("X".repeat(length));
  expect(daemon.seen[0]?.request).toMatchObject({ containerId: "c1", netnsInode: 4_026_531_833 });
});

test("the deadline reaches the server", async () => {
  const path = socketPath();
  let deadlineMs = 0;
  await using _daemon = await stubDaemon(path, {
    Add: (_request, answer, serverCall) => {
      deadlineMs = new Date(serverCall.getDeadline()).getTime() - Date.now();
      answer(null, {});
    },
  });
  await add(path, "{}", 60_000);
  expect(deadlineMs).toBeGreaterThan(30_000);
  expect(deadlineMs).toBeLessThanOrEqual(60_000);
});

test.each([
  [Status.INTERNAL, { kind: "rpc", status: 13, message: "böse %41 \u2603" }],
  [Status.PERMISSION_DENIED, { kind: "rpc", status: 7 }],
  [Status.UNAVAILABLE, { kind: "not-ready" }],
  [Status.RESOURCE_EXHAUSTED, { kind: "not-ready" }],
  [Status.DEADLINE_EXCEEDED, { kind: "deadline" }],
])("status %i", async (code, failure) => {
  const path = socketPath();
  await using _daemon = await stubDaemon(path, {
    Add: (_request, answer) => answer({ code, details: "böse %41 \u2603" }),
  });
  expect(await failureOf(add(path))).toMatchObject(failure);
});

test("a method that the server does not know", async () => {
  const path = socketPath();
  await using _daemon = await stubDaemon(path);
  const work = call(path, "/selvedge.v1.Node/Nothing", new Uint8Array(), { deadlineMs: 1_000 });
  expect(await failureOf(work)).toMatchObject({ kind: "rpc", status: 12 });
});

test("a server that hangs", async () => {
  const path = socketPath();
  await using _daemon = await stubDaemon(path, { Add: () => undefined });
  const started = performance.now();
  expect(await failureOf(add(path, "{}", 200))).toMatchObject({ kind: "deadline" });
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("a server that shuts down in the middle of a call", async () => {
  const path = socketPath();
  await using daemon = await stubDaemon(path, { Add: () => daemon.server.forceShutdown() });
  expect(await failureOf(add(path))).toMatchObject({ kind: "not-ready" });
});

test("a server that drains finishes the call", async () => {
  const path = socketPath();
  await using daemon = await stubDaemon(path, {
    Add: (_request, answer) => {
      daemon.server.tryShutdown(() => undefined);
      setTimeout(() => answer(null, { result: Buffer.from("late") }), 50);
    },
  });
  expect(new TextDecoder().decode(decodeReply(await add(path)).result)).toBe("late");
});

test.each([
  ["closes at once", (end: () => void) => end(), /closed|ECONNRESET|EPIPE/],
  [
    "speaks another protocol",
    (_end: () => void, say: (text: string) => void) => say("HTTP/1.1 400 No\r\n\r\n"),
    /not HTTP\/2/,
  ],
])("something that %s", async (_name, act, why) => {
  const path = socketPath();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    act(
      () => socket.end(),
      (text) => void socket.write(text),
    );
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const failure = await failureOf(add(path));
  server.close();
  expect(failure).toMatchObject({ kind: "not-ready", message: expect.stringMatching(why) });
});

test("nobody there", async () => {
  const path = socketPath();
  expect(await failureOf(add(path))).toMatchObject({
    kind: "not-ready",
    message: `selvedged does not answer at ${path}: ENOENT`,
  });
});

test("many calls side by side", async () => {
  const path = socketPath();
  await using daemon = await stubDaemon(path);
  await Promise.all(Array.from({ length: 64 }, () => add(path)));
  expect(daemon.seen).toHaveLength(64);
});
