/** A node daemon of our own for the suite: a process in a node's namespace, with all its state in one directory. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { end, eventually, run, start, stop } from "./program.ts";
import type { JsonObject } from "./subject.ts";

const TOP = join(import.meta.dirname, "..");
/** Where `npm run build` puts the plugin. */
export const BUILT = join(TOP, "dist");

export interface Daemon extends AsyncDisposable {
  /** What the plugin needs in its environment to find this daemon. */
  readonly environment: { readonly SELVEDGE_SOCKET: string; readonly SELVEDGE_QUEUE: string };
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** Starts it again on the same state, with these variables besides, and waits until it is ready. */
  start(variables?: Readonly<Record<string, string>>): Promise<void>;
  /** Stops it, and starts another build of it on the same state: `argv` without its arguments. */
  replace(argv: readonly string[]): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** Resolves when it has ended, in whatever way. */
  ended(): Promise<void>;
  /** Process id of the newest. */
  pid(): number;
  /** What it has written to its log so far. */
  log(): string;
}

export interface DaemonOptions {
  /** Argument list that runs another one on the node: in its network namespace, at least. */
  enter(argv: readonly string[]): string[];
  /** Takes the socket, the state, the queue, the configuration and the log. */
  readonly directory: string;
  /** Laid over the configuration. */
  readonly config?: JsonObject;
}

/** In a virtual machine without KVM it loads its modules for twenty seconds, and for minutes on a machine that is busy. */
const START_LIMIT_MS = 240_000;

const BUILT_DAEMON: readonly string[] = [join(BUILT, "selvedged")];
const SOURCE_DAEMON: readonly string[] = [process.execPath, join(TOP, "cmd", "daemon.ts")];
/**
 * Reading the sources takes most of a start, and half a minute in the guest of test/vm: there, in CI, and where `npm test`
 * has just built it, it is the built daemon that runs.
 */
const IS_BUILT = ["SELVEDGE_VM", "SELVEDGE_BUILT", "CI"].some((name) => process.env[name]);
export const DAEMON = IS_BUILT ? BUILT_DAEMON : SOURCE_DAEMON;
export const OTHER_DAEMON = DAEMON === BUILT_DAEMON ? SOURCE_DAEMON : BUILT_DAEMON;

/** @throws Error with the end of its log when it is not ready within `START_LIMIT_MS` */
export async function startDaemon({ enter, directory, config = {} }: DaemonOptions): Promise<Daemon> {
  const path = (name: string) => join(directory, name);
  const environment = { SELVEDGE_SOCKET: path("selvedged.sock"), SELVEDGE_QUEUE: path("queue") };
  await mkdir(path("queue"), { recursive: true });
  // JSON is YAML.
  const settings = { socket: path("selvedged.sock"), stateDir: path("state"), queueDirs: [path("queue")], ...config };
  await writeFile(path("config.yaml"), JSON.stringify(settings));
  let program = DAEMON;
  const log = () => (existsSync(path("log")) ? readFileSync(path("log"), "utf8") : "");
  let child: ChildProcess | undefined;

  const begin = async (variables: Readonly<Record<string, string>> = {}) => {
    const { NODE_OPTIONS: _jestOptions, ...rest } = process.env as Record<string, string>;
    const quoted = [...program, "--config", path("config.yaml")].map((word) => `'${word}'`).join(" ");
    const shell = ["/bin/sh", "-c", `exec ${quoted} >>'${path("log")}' 2>&1`];
    const started = start(enter(shell), { ...rest, ...variables });
    child = started;
    const outcome = await eventually(
      "the daemon is ready",
      async () => (hasEnded(started) ? "ended" : (await ready(enter, environment)) ? "ready" : undefined),
      START_LIMIT_MS,
    );
    if (outcome === "ended") throw new Error(`it ended with ${started.exitCode ?? started.signalCode}`);
  };
  const ended = async () => {
    if (child !== undefined && !hasEnded(child)) await once(child, "exit");
  };
  const kill = async () => {
    if (child !== undefined) end(child, "SIGKILL");
    await ended();
  };
  const daemon: Daemon = {
    environment,
    kill,
    start: begin,
    ended,
    stop: async () => child && stop(child, 10_000),
    async replace(argv) {
      if (child !== undefined) await stop(child, 10_000);
      program = argv;
      await begin();
    },
    pid: () => child?.pid ?? 0,
    log,
    [Symbol.asyncDispose]: async () => child && stop(child, 10_000),
  };
  await begin().catch(async (error: unknown) => {
    await kill();
    throw new Error(`the daemon did not start:\n${log().slice(-2_000)}`, { cause: error });
  });
  return daemon;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

async function ready(enter: DaemonOptions["enter"], environment: Daemon["environment"]): Promise<boolean> {
  if (!existsSync(environment.SELVEDGE_SOCKET)) return false;
  const asked = { ...environment, CNI_COMMAND: "STATUS", CNI_PATH: BUILT };
  const input = JSON.stringify({ cniVersion: "1.1.0", name: "ready", type: "selvedge" });
  return (await run(enter([join(BUILT, "selvedge")]), { environment: asked, input })).exit === 0;
}
