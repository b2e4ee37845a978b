/**
 * The client's side of proto/selvedge.proto: one unary call on a Unix socket. Runs under Bun (the plugin, selvedgectl)
 * and under Node; it imports neither grpc-js nor, under Bun, any module of Node: at each pod start, each costs more
 * than the call itself.
 */
import { SelvedgeError } from "#lib/errors.ts";
import { exchange, type Outcome } from "./exchange.ts";
import { type Connect, connect } from "./socket.ts";

export interface CallOptions {
  readonly deadlineMs: number;
  readonly connect?: Connect;
}

/**
 * Calls `/selvedge.v1.Service/Method` and gives the reply's bytes.
 * @throws SelvedgeError not-ready (nobody listens, the connection broke, or the daemon says so), deadline, rpc
 */
export async function call(
  socketPath: string,
  method: string,
  message: Uint8Array,
  options: CallOptions,
): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Outcome | "deadline">();
  const talk = exchange({ path: method, message, timeoutMs: options.deadlineMs });
  const timer = setTimeout(() => resolve("deadline"), options.deadlineMs);
  const settle = (): void => {
    if (talk.outcome !== undefined) resolve(talk.outcome);
  };
  const socket = (options.connect ?? connect)(socketPath, {
    open: (write) => write(talk.start),
    data: (bytes, write) => {
      const answer = talk.receive(bytes);
      settle();
      if (answer.length > 0 && talk.outcome === undefined) write(answer);
    },
    close: (why) => {
      talk.closed(why);
      settle();
    },
  });
  try {
    const outcome = await promise;
    if (outcome !== "deadline" && outcome.kind === "reply") return outcome.message;
    throw failureOf(outcome, socketPath, options.deadlineMs);
  } finally {
    clearTimeout(timer);
    socket.end();
  }
}

/** grpc/doc/statuscodes.md: those that mean "later". */
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

function failureOf(outcome: Exclude<Outcome, { kind: "reply" }> | "deadline", path: string, deadlineMs: number) {
  if (outcome === "deadline" || (outcome.kind === "status" && outcome.status === DEADLINE_EXCEEDED))
    return new SelvedgeError({ kind: "deadline" }, `no answer from selvedged at ${path} within ${deadlineMs} ms`, {
      hint: "Look at `selvedgectl status` and at the log of selvedged.",
    });
  if (outcome.kind === "broken")
    return new SelvedgeError({ kind: "not-ready" }, `selvedged does not answer at ${path}: ${outcome.why}`, {
      hint: isShutOut(outcome.why) ? CLOSED : AWAY,
    });
  const { status, message } = outcome;
  if (status === UNAVAILABLE || status === RESOURCE_EXHAUSTED)
    return new SelvedgeError({ kind: "not-ready" }, `selvedged cannot serve now: ${message}`, { hint: AWAY });
  return new SelvedgeError({ kind: "rpc", status }, message || `selvedged answered with gRPC status ${status}`);
}

const AWAY =
  "Is selvedged running? Try `selvedgectl status`; look at the selvedge pod of this node's DaemonSet " +
  "(`kubectl -n kube-system get pods -o wide`) or at `systemctl status selvedged`.";
/** What a connection is refused with when nobody listens (connect(2)). */
const ABSENT = ["ENOENT", "ECONNREFUSED"];
/** By the socket's mode; or, where that lets others in, by the daemon, which ends their connections without a word. */
const isShutOut = (why: string): boolean =>
  why === "EACCES" || (globalThis.process?.getuid?.() !== 0 && !ABSENT.includes(why));
const CLOSED = "Its socket is open to root alone: run this as root.";
