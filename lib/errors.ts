/**
 * The one error class of the project and the closed union of what can go wrong.
 * Codes of the CNI specification appear only in lib/cni; everything inside speaks of kinds.
 * Anything thrown that is not a `SelvedgeError` is a bug.
 */
export type Failure =
  /** The network configuration, the environment or a request is wrong; the message names field, value and what would be right. */
  | { kind: "config-invalid"; field: string }
  /** A field is understood but refused (CNI code 2: the message holds key and value). */
  | { kind: "unsupported-field"; field: string }
  /** CNI_* variables are missing or malformed (CNI code 4). */
  | { kind: "environment-invalid"; variables: readonly string[] }
  /** The configuration's cniVersion, or the verb in that version (CNI code 1). */
  | { kind: "version-unsupported"; version: string }
  /** Bytes could not be decoded (CNI code 6). */
  | { kind: "decode" }
  /** The plugin's own namespace was given as the pod's (CNI code 8). */
  | { kind: "own-namespace" }
  /** Nothing usable at CNI_NETNS. */
  | { kind: "namespace-gone"; path: string }
  /** The interface name is taken in the pod by something that is not ours. */
  | { kind: "interface-exists"; name: string }
  /** No address is free now; `freeInMs` is when the next one leaves its cool-down. Temporary. */
  | { kind: "pool-exhausted"; pool: string; freeInMs?: number }
  /** The requested address is held, reserved, excluded or outside every range. */
  | { kind: "address-unavailable"; address: string }
  /** The daemon is starting, stopping, overloaded or away. Temporary. */
  | { kind: "not-ready" }
  /** The deadline of the verb ran out. Temporary. */
  | { kind: "deadline" }
  /** A delegated plugin failed; its own code is kept. */
  | { kind: "delegate"; plugin: string; code: number }
  /** A system call was refused. `errno` is the positive number of errno.h. */
  | { kind: "kernel"; call: string; errno: number }
  /** The durable store refused (disk full, read-only, corrupt). */
  | { kind: "store" }
  /** A result (prevResult, or ours in an old version) that cannot be read or cannot be said (CNI code 999, as the reference has it). */
  | { kind: "result-invalid"; field: string }
  /** The daemon refused a call with this gRPC status (grpc/status.md); its message is the error's. */
  | { kind: "rpc"; status: number }
  /** CHECK found a difference; `lines` are the operations that would repair it. */
  | { kind: "drift"; lines: readonly string[] }
  /** A router at the edge did not do, or may not have done, what it was asked. */
  | { kind: "router"; router: string; why: RouterTrouble }
  /** FRR on the node is not there, does not run, or does not take what it is told. */
  | { kind: "speaker" }
  /** Two attachments claim one thing: a host port, a fixed address, a MAC. */
  | { kind: "conflict"; what: string };

/** What is known of a router's configuration afterwards is the difference between most of these. */
export type RouterTrouble =
  /** Not connected, or its API is not up: nothing happened. */
  | "unreachable"
  /** Its certificate is not the one that was configured: nothing was sent. */
  | "untrusted"
  /** The key is not one of the router's: nothing happened. */
  | "denied"
  /** What answers is no VyOS, or not with its API on. */
  | "not-vyos"
  /** A path or a value that this version does not take: nothing happened. */
  | "refused"
  /** Another commit is under way: nothing happened. */
  | "locked"
  /** It could not answer at this moment, as during a commit. */
  | "busy"
  /** The commit failed: parts of it may have been made. */
  | "failed"
  /** No answer: it may have been done, or be going on. */
  | "unknown";

export type FailureKind = Failure["kind"];

export class SelvedgeError extends Error {
  override readonly name = "SelvedgeError";
  readonly failure: Failure;
  /** What to look at next, one sentence; becomes `details` of a CNI error. */
  readonly hint: string | undefined;

  constructor(failure: Failure, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.failure = failure;
    this.hint = options.hint;
  }
}

/** True for a `SelvedgeError`, and when kinds are given, only for those. */
export function isFailure<K extends FailureKind>(
  error: unknown,
  ...kinds: readonly K[]
): error is SelvedgeError & { failure: Extract<Failure, { kind: K }> } {
  return (
    error instanceof SelvedgeError && (kinds.length === 0 || (kinds as readonly string[]).includes(error.failure.kind))
  );
}
