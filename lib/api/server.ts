/**
 * The daemon's door: gRPC on a Unix socket that root alone may open. Every connection is looked at before grpc-js gets
 * it; every call gets a signal that ends with its deadline, its client or the daemon.
 */
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { isFailure } from "#lib/errors.ts";
import type { Log } from "#lib/log.ts";
import { Admin, type Method, Node } from "#proto/selvedge_pb.ts";
import { claim } from "./claim.ts";
import { definition } from "./definition.ts";
import { GRPC_STATUS } from "./status.ts";

/** What a handler knows of its call besides the request. */
export interface Call {
  /** Aborted at the deadline, when the client goes away, and when the daemon can wait no longer. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch; undefined when the client set no deadline. */
  readonly deadlineMs: number | undefined;
}

/** One async function for each method of a service, with the types of the .proto. */
export type Handlers<Service> = {
  readonly [Name in keyof Service]: Service[Name] extends Method<infer Request, infer Reply>
    ? (request: Request, call: Call) => Promise<Partial<Reply>>
    : never;
};

export type NodeHandlers = Handlers<typeof Node>;
export type AdminHandlers = Handlers<typeof Admin>;

export interface ServeOptions {
  readonly socket: string;
  readonly node: NodeHandlers;
  readonly admin: AdminHandlers;
  /** SO_PEERCRED of a connection's descriptor. */
  readonly credentials: (fd: number) => { uid: number; pid: number };
  readonly log: Log;
  /** Longest request, bytes; the plugin takes at most 4 MiB of configuration. */
  readonly maxMessageBytes?: number;
}

export interface Serving {
  /** Calls that have not been answered yet. */
  readonly running: number;
  /**
   * Takes no new connection, waits for running calls, then closes. After `graceMs` their signals are aborted, and they
   * have another `ABORT_GRACE_MS` to answer.
   */
  close(graceMs: number): Promise<void>;
}

/** How long a call whose signal was aborted may take to answer at shutdown, ms. */
const ABORT_GRACE_MS = 500;
/** 4 MiB of configuration and what surrounds it. */
const MAX_MESSAGE_BYTES = 5 * 1024 * 1024;

/**
 * Serves until closed.
 * @throws SelvedgeError conflict when another daemon listens on the socket, config-invalid when its path cannot be used
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const calls = new Set<AbortController>();
  const maxBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  const grpc = new Server({
    "grpc.max_receive_message_length": maxBytes,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
  });
  for (const [service, handlers] of [
    [Node, options.node],
    [Admin, options.admin],
  ] as const)
    grpc.addService(definition(service), implementation(service, handlers as AnyHandlers, calls, options.log));

  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const door = createServer((socket) => {
    if (!admitted(socket, options)) return socket.destroy();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return injector.injectConnection(socket);
  });
  const release = await claim(door, options.socket);

  return {
    get running() {
      return calls.size;
    },
    async close(graceMs) {
      await release();
      // A server's close() calls back when the last connection has ended, and each ends with its last answer.
      const drained = new Promise<void>((resolve) => door.close(() => resolve()));
      injector.drain(graceMs + ABORT_GRACE_MS);
      if (!(await within(drained, graceMs))) {
        for (const call of calls) call.abort();
        await within(drained, ABORT_GRACE_MS);
      }
      grpc.forceShutdown();
      injector.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** True when `done` came first. The timer does not outlive the question. */
async function within(done: Promise<void>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  const first = await Promise.race([done.then(() => true), late]);
  timer.abort();
  return first;
}

function admitted(socket: Socket, { credentials, log }: ServeOptions): boolean {
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
  if (fd < 0) return false;
  const { uid, pid } = credentials(fd);
  if (uid === 0) return true;
  log({ event: "peer-refused", uid, pid });
  return false;
}

type AnyHandlers = Readonly<Record<string, (request: unknown, call: Call) => Promise<object>>>;

function implementation(
  service: object,
  handlers: AnyHandlers,
  calls: Set<AbortController>,
  log: Log,
): UntypedServiceImplementation {
  const unary =
    (name: string, handle: AnyHandlers[string]) =>
    (call: ServerUnaryCall<unknown, object>, answer: sendUnaryData<object>): void => {
      const abort = new AbortController();
      calls.add(abort);
      const gone = () => abort.abort();
      call.once("cancelled", gone);
      handle(call.request, { signal: abort.signal, deadlineMs: deadlineOf(call) })
        .then(
          (reply) => answer(null, reply),
          (error: unknown) => answer(refusal(name, call.request, error, log)),
        )
        .finally(() => {
          calls.delete(abort);
          // An answered client goes away at once; an abort would make a DOMException with its stack for nobody.
          call.off("cancelled", gone);
        });
    };
  return Object.fromEntries(
    Object.keys(service).map((name) => [name, unary(name, handlers[name] as AnyHandlers[string])]),
  );
}

function deadlineOf(call: ServerUnaryCall<unknown, object>): number | undefined {
  const deadline = call.getDeadline();
  const ms = deadline instanceof Date ? deadline.getTime() : deadline;
  return Number.isFinite(ms) ? ms : undefined;
}

function refusal(verb: string, request: unknown, error: unknown, log: Log): { code: status; details: string } {
  if (isFailure(error)) {
    const details = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
    return { code: GRPC_STATUS[error.failure.kind], details };
  }
  const bug = error instanceof Error ? error : new Error(String(error));
  const { containerId = "", ifname = "" } = request as { containerId?: string; ifname?: string };
  log({ event: "failed", verb, container: containerId, ifname, message: bug.message, stack: bug.stack ?? "" });
  return {
    code: status.INTERNAL,
    details: `${verb} failed inside the daemon: ${bug.message}; its log has the details`,
  };
}
