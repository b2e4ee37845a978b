import { existsSync, linkSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import type { Event } from "#lib/log.ts";
import { Admin, type Method, Node } from "#proto/selvedge_pb.ts";
import { emptyHandlers } from "./empty-handlers.ts";
import { type Call, type NodeHandlers, type ServeOptions, type Serving, serve } from "./server.ts";

const READY = { result: new TextEncoder().encode("{}") };
const node: NodeHandlers = { ...emptyHandlers(Node), add: async () => READY };
const admin = emptyHandlers(Admin);

let directory = "";
let socket = "";
let events: Event[] = [];
let open: { close(): unknown }[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "selvedge-api-"));
  socket = join(directory, "run", "d.sock");
  events = [];
  open = [];
});
afterEach(async () => {
  for (const thing of open.reverse()) await thing.close();
  rmSync(directory, { recursive: true });
});

async function start(changes: Partial<ServeOptions> = {}): Promise<Serving> {
  const serving = await serve({
    socket,
    node,
    admin,
    credentials: () => ({ uid: 0, pid: 1 }),
    log: (event) => events.push(event),
    ...changes,
  });
  open.push({ close: () => serving.close(0) });
  return serving;
}

/** Any gRPC client: here grpc-js, knowing nothing but the path and the messages. */
function client(): Client {
  const made = new Client(`unix:${socket}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.initial_reconnect_backoff_ms": 50,
  });
  open.push(made);
  return made;
}

function call<Q, A>(by: Client, method: Method<Q, A>, request: Partial<Q>, deadlineMs = 5_000): Promise<A> {
  return new Promise((resolve, reject) => {
    by.makeUnaryRequest(
      method.path,
      (value: Partial<Q>) => Buffer.from(method.request.encode(value)),
      (bytes: Buffer) => method.reply.decode(bytes),
      request,
      { deadline: Date.now() + deadlineMs },
      (error, reply) => (error === null && reply !== undefined ? resolve(reply) : reject(error)),
    );
  });
}

const refused = (promise: Promise<unknown>): Promise<ServiceError> =>
  promise.then(
    () => {
      throw new Error("expected a refusal");
    },
    (error: ServiceError) => error,
  );

const METHODS = [...Object.entries(Node), ...Object.entries(Admin)] as unknown as [string, Method<object, object>][];

test("the services have methods", () => expect(METHODS.length).toBe(42));

test.each(METHODS)("%s is called and answers", async (name, method) => {
  const seen: string[] = [];
  const noting = <T extends object>(handlers: T): T =>
    Object.fromEntries(
      Object.keys(handlers).map((key) => [
        key,
        async () => {
          seen.push(key);
          return {};
        },
      ]),
    ) as T;
  await start({ node: noting(node), admin: noting(admin) });
  expect(await call(client(), method, {})).toEqual(method.reply.decode(new Uint8Array(0)));
  expect(seen).toEqual([name]);
});

test("requests and replies arrive whole, however long", async () => {
  const config = new Uint8Array(4 * 1024 * 1024).fill(7);
  await start({ node: { ...node, add: async (request) => ({ result: request.config }) } });
  const reply = await call(client(), Node.add, { containerId: "c1", config });
  expect(Buffer.from(reply.result).equals(config)).toBe(true);
});

test("a request that is too long is refused", async () => {
  await start({ maxMessageBytes: 1_000 });
  const error = await refused(call(client(), Node.add, { config: new Uint8Array(2_000) }));
  expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
});

test("the socket is the owner's alone, and goes away with the server", async () => {
  const serving = await start();
  expect(lstatSync(socket).mode & 0o777).toBe(0o600);
  expect(readdirSync(dirname(socket))).toEqual(["d.sock"]);
  await serving.close(1_000);
  expect(existsSync(socket)).toBe(false);
});

test("peers other than root are turned away before they say anything", async () => {
  await start({ credentials: () => ({ uid: 1000, pid: 77 }) });
  const error = await refused(call(client(), Node.status, {}, 2_000));
  expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(error.code);
  expect(events).toContainEqual({ event: "peer-refused", uid: 1000, pid: 77 });
});

test.each(["", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0008\u0007"])(
  "a peer that says %j and goes away harms nobody",
  async (bytes) => {
    await start();
    await new Promise<void>((resolve) => {
      const peer = netConnect(socket, () => {
        peer.write(bytes, () => peer.destroy());
      });
      peer.once("close", () => resolve());
    });
    expect((await call(client(), Node.add, {})).result).toEqual(Buffer.from("{}"));
  },
);

test("credentials are asked for with the connection's own descriptor", async () => {
  const asked: number[] = [];
  await start({
    credentials: (fd) => {
      asked.push(fd);
      return { uid: 0, pid: 1 };
    },
  });
  await call(client(), Node.status, {});
  expect(asked).toHaveLength(1);
  expect(asked[0]).toBeGreaterThan(2);
});

test("a second daemon is refused while the first one listens", async () => {
  await start();
  await expect(start()).rejects.toMatchObject({ failure: { kind: "conflict", what: socket } });
  expect((await call(client(), Node.add, {})).result).toEqual(Buffer.from("{}"));
});

test("of eight daemons that start at once over a stale socket, one gets it", async () => {
  await staleSocket();
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => start()));
  expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  expect((await call(client(), Node.add, {})).result).toEqual(Buffer.from("{}"));
});

/** What a killed daemon leaves: a socket that nobody listens on. */
async function staleSocket(): Promise<void> {
  const first = await start();
  const dead = createServer();
  await first.close(0);
  await new Promise<void>((resolve) => dead.listen(`${socket}.dead`, () => resolve()));
  linkSync(`${socket}.dead`, socket);
  await new Promise<void>((resolve) => dead.close(() => resolve()));
}

test("a stale socket is replaced", async () => {
  await staleSocket();
  expect(existsSync(socket)).toBe(true);
  await start();
  expect((await call(client(), Node.add, {})).result).toEqual(Buffer.from("{}"));
});

test("a file in the socket's place is left alone", async () => {
  const file = join(directory, "precious");
  writeFileSync(file, "x");
  await expect(start({ socket: file })).rejects.toMatchObject({ failure: { kind: "config-invalid" } });
  expect(lstatSync(file).isFile()).toBe(true);
});

test("a path that no Unix socket can have is refused with the limit", async () => {
  await expect(start({ socket: `/tmp/${"x".repeat(120)}` })).rejects.toThrow("at most 98 bytes");
});

const REFUSALS: [why: string, error: SelvedgeError, code: status, details: string][] = [
  ["not ready", new SelvedgeError({ kind: "not-ready" }, "starting"), status.UNAVAILABLE, "starting"],
  [
    "with a hint",
    new SelvedgeError({ kind: "namespace-gone", path: "/x" }, "no such", { hint: "Look at /x." }),
    status.NOT_FOUND,
    "no such\nLook at /x.",
  ],
];
test.each(REFUSALS)("a failure becomes a status: %s", async (_why, thrown, code, details) => {
  await start({
    admin: {
      ...admin,
      plan: async () => {
        throw thrown;
      },
    },
  });
  expect(await refused(call(client(), Admin.plan, {}))).toMatchObject({ code, details });
  expect(events).toEqual([]);
});

test("a bug is logged with its stack and answered as internal", async () => {
  await start({
    node: {
      ...node,
      add: async () => {
        throw new TypeError("x is undefined");
      },
    },
  });
  const error = await refused(call(client(), Node.add, { containerId: "c1", ifname: "eth0" }));
  expect(error.code).toBe(status.INTERNAL);
  expect(events).toEqual([
    {
      event: "failed",
      verb: "add",
      container: "c1",
      ifname: "eth0",
      message: "x is undefined",
      stack: expect.stringContaining("server.test.ts"),
    },
  ]);
});

test("the deadline of the client reaches the handler, as a time and as a signal", async () => {
  const seen = Promise.withResolvers<Call>();
  const aborted = Promise.withResolvers<void>();
  await start({
    node: {
      ...node,
      add: async (_request, context) => {
        seen.resolve(context);
        context.signal.addEventListener("abort", () => aborted.resolve());
        await aborted.promise;
        return {};
      },
    },
  });
  const error = await refused(call(client(), Node.add, {}, 200));
  expect(error.code).toBe(status.DEADLINE_EXCEEDED);
  const { deadlineMs } = await seen.promise;
  expect(Math.abs((deadlineMs ?? 0) - Date.now())).toBeLessThan(1_000);
  await aborted.promise;
});

test("closing waits for what runs, and refuses what comes after", async () => {
  const entered = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const serving = await start({
    node: {
      ...node,
      add: async () => {
        entered.resolve();
        await finish.promise;
        return READY;
      },
    },
  });
  const answer = call(client(), Node.add, {});
  await entered.promise;
  expect(serving.running).toBe(1);
  const closed = serving.close(5_000);
  await sleep(20);
  const refusedLate = await new Promise<string>((resolve) => {
    netConnect(socket).once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
  expect(refusedLate).toBe("ENOENT");
  finish.resolve();
  expect((await answer).result).toEqual(Buffer.from("{}"));
  await closed;
  expect(serving.running).toBe(0);
});

test("closing waits no longer than it was told", async () => {
  const entered = Promise.withResolvers<AbortSignal>();
  const serving = await start({
    node: {
      ...node,
      add: (_request, { signal }) => {
        entered.resolve(signal);
        return new Promise(() => {});
      },
    },
  });
  const answer = refused(call(client(), Node.add, {}));
  const signal = await entered.promise;
  const began = Date.now();
  await serving.close(50);
  expect(Date.now() - began).toBeLessThan(1_500);
  expect(signal.aborted).toBe(true);
  await answer;
});
