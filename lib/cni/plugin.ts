/**
 * The plugin as a function of its surroundings: validate, ask the daemon, answer in the protocol's words.
 * It is loaded at each pod start, so nothing here imports more than it must.
 */
import { isFailure } from "#lib/errors.ts";
import { type Found, fields } from "#lib/parse.ts";
import { parseEnvironment, type Variables } from "./environment.ts";
import { errorText, STORE, toCniError } from "./error.ts";
import { preflight, refuseOwnNamespace } from "./preflight.ts";
import { type Environment, NEWEST, type Reply, type Request, VERSIONS, type Verb, type Version } from "./types.ts";

export type DaemonVerb = Exclude<Verb, "VERSION">;

export interface Surroundings {
  readonly variables: Variables;
  /** Standard input, to its end or to one byte past `limitBytes`. */
  stdin(limitBytes: number): Promise<Uint8Array>;
  /** Inode of a file, following links; 0 when there is none. */
  inode(path: string): Promise<number>;
  /** Asks the daemon. @throws SelvedgeError not-ready, deadline, rpc */
  ask(verb: DaemonVerb, request: Request, deadlineMs: number): Promise<Reply>;
  /** Does what the plugin `loopback` does. @returns what goes to standard output @throws SelvedgeError */
  loopback(verb: DaemonVerb, call: { config: Found; cniVersion: Version; netns: string }): Promise<string>;
  /** Remembers a DEL for a daemon that is away. @throws SelvedgeError store */
  enqueue(request: Request): Promise<void>;
}

export interface Answer {
  readonly exit: 0 | 1;
  /** Standard output; empty for nothing. */
  readonly out: string;
  readonly err: string;
}

/** No runtime sends more; kubelet's annotations are limited to 256 KiB. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** Shorter than any runtime's patience: a hung verb blocks every pod of a node under containerd. */
const DEADLINE_MS = {
  ADD: 40_000,
  DEL: 15_000,
  CHECK: 5_000,
  GC: 30_000,
  STATUS: 1_000,
} as const satisfies Record<DaemonVerb, number>;

const ABOUT = `CNI plugin selvedge\nCNI protocol versions supported: ${VERSIONS.join(", ")}\n`;

/** Runs one invocation. Never throws: whatever happens becomes an answer. */
export async function plugin(around: Surroundings): Promise<Answer> {
  let cniVersion: string = NEWEST;
  let verb: Verb | undefined;
  try {
    if (!around.variables.CNI_COMMAND) return { exit: 0, out: "", err: ABOUT };
    const environment = parseEnvironment(around.variables);
    verb = environment.verb;
    if (verb === "VERSION") return success(JSON.stringify({ cniVersion: NEWEST, supportedVersions: VERSIONS }));
    const looking = inodes(environment, around);
    const config = await around.stdin(MAX_CONFIG_BYTES);
    const first = preflight(verb, config, MAX_CONFIG_BYTES);
    cniVersion = first.cniVersion;
    const { netnsInode, own } = await looking;
    const { verb: _, ...given } = environment;
    refuseOwnNamespace({ netnsInode, allowOwnNetns: given.allowOwnNetns }, own);
    if (fields(first.raw)("type").value === "loopback")
      return success(await around.loopback(verb, { ...first, config: first.raw, netns: given.netns }));
    const reply = await ask(verb, { ...given, config, netnsInode }, around);
    if (reply.error !== undefined) return failure(errorText(reply.error, cniVersion));
    return success(new TextDecoder().decode(reply.result));
  } catch (error) {
    return failure(errorText(toCniError(error, verb), cniVersion));
  }
}

const success = (out: string): Answer => ({ exit: 0, out, err: "" });
const failure = (out: string): Answer => ({ exit: 1, out, err: "" });

/** Looks the namespaces up; it runs beside the reading of standard input. */
async function inodes({ netns }: Environment, around: Surroundings): Promise<{ netnsInode: number; own: number }> {
  if (netns === "") return { netnsInode: 0, own: 0 };
  const [netnsInode, own] = await Promise.all([around.inode(netns), around.inode("/proc/self/ns/net")]);
  return { netnsInode, own };
}

/** A DEL that the daemon cannot take now is remembered: the caller would see an error that it may never retry. */
async function ask(verb: DaemonVerb, request: Request, around: Surroundings): Promise<Reply> {
  const reply = await around.ask(verb, request, DEADLINE_MS[verb]).catch((error: unknown) => {
    if (verb === "DEL" && isFailure(error, "not-ready", "deadline")) return undefined;
    throw error;
  });
  if (reply === undefined) await around.enqueue(request);
  else if (verb !== "DEL" || reply.error?.code !== STORE) return reply;
  // The daemon's disk refuses; the queue may lie on another.
  else if (!(await succeeds(around.enqueue(request)))) return reply;
  return { result: new Uint8Array() };
}

const succeeds = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
