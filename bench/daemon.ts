/** The built daemon as a process of the run, and what it says of itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askOver } from "#lib/ctl/ask.ts";
import { Admin } from "#proto/selvedge_pb.ts";
import { DAEMON } from "./subjects.ts";

export interface Span {
  readonly step: string;
  readonly us: number;
}

export interface Memory {
  readonly rssMib: number;
  readonly pssMib: number;
  /** The highest RSS so far. */
  readonly peakMib: number;
}

export interface Daemon extends AsyncDisposable {
  readonly socket: string;
  /** Steps of the newest verb of this attachment, in order. */
  trace(containerId: string): Promise<Span[]>;
  /** Keeps addresses of the pool for each name. */
  reserve(pool: string, names: readonly string[]): Promise<void>;
  release(pool: string, names: readonly string[]): Promise<void>;
  /** CPU time of all of its threads since it started, milliseconds. */
  cpuMs(): number;
  memory(): Memory;
  /** Waits until no link is left to be deleted behind a DEL. */
  settled(): Promise<void>;
  /** What it has logged so far, line by line. */
  events(): readonly DaemonEvent[];
  /** SIGKILL; what it made stays. */
  kill(): Promise<void>;
}

export interface DaemonEvent {
  readonly event: string;
  /** RFC 3339. */
  readonly time: string;
  /** Of `repaired`. */
  readonly count?: number;
  readonly tookMs?: number;
}

export interface DaemonOptions {
  /** Besides socket, state and queue. */
  readonly settings?: object;
  /** Argument list that runs another one where the daemon is to be. */
  readonly enter?: (argv: readonly string[]) => readonly string[];
  /** How long it may take until it is ready, ms. */
  readonly startMs?: number;
}

const START_MS = 15_000;
const SETTLE_MS = 120_000;

/** @param directory takes socket, state, queue and log. @throws Error with the end of the log when it does not start */
export async function startDaemon(
  program: string,
  directory: string,
  { settings = DAEMON, enter = (argv) => argv, startMs = START_MS }: DaemonOptions = {},
): Promise<Daemon> {
  const socket = join(directory, "selvedged.sock");
  const config = join(directory, "selvedged.yaml");
  const queue = join(directory, "queue");
  const logFile = join(directory, "selvedged.log");
  await mkdir(queue, { recursive: true });
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({ ...settings, socket, stateDir: join(directory, "state"), queueDirs: [queue] }),
  );
  const log = openSync(logFile, "a");
  const [command = "", ...argv] = enter([program, "--config", config]);
  const child = spawn(command, argv, { stdio: ["ignore", log, log] });
  closeSync(log);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const ask = askOver({ socket, deadlineMs: 5_000 });
  const status = () => ask(Admin.getStatus, {}).catch(() => undefined);

  const giveUpMs = performance.now() + startMs;
  while ((await status())?.ready !== true) {
    if (child.exitCode !== null || performance.now() > giveUpMs) {
      child.kill("SIGKILL");
      throw new Error(`selvedged did not start:\n${readFileSync(logFile, "utf8").slice(-2_000)}`);
    }
    await sleep(25);
  }
  return {
    socket,
    async trace(containerId) {
      const { spans } = await ask(Admin.getTrace, { containerId, ifname: "eth0" });
      return spans.map(({ name, durationUs }) => ({ step: name, us: Number(durationUs) }));
    },
    async reserve(pool, names) {
      for (const name of names) await ask(Admin.reserve, { name, pool });
    },
    async release(pool, names) {
      for (const name of names) await ask(Admin.release, { name, pool });
    },
    cpuMs: () => cpuMsOf(pidOf(child)),
    memory: () => memoryOf(pidOf(child)),
    async settled() {
      const giveUpMs = performance.now() + SETTLE_MS;
      while (performance.now() < giveUpMs) {
        const now = await status();
        if (now !== undefined && now.linkRemovalsPending === 0 && now.deleting === 0) return;
        await sleep(50);
      }
      throw new Error(`selvedged still deletes links after ${SETTLE_MS} ms`);
    },
    events() {
      // The last line may still be under way.
      const whole = readFileSync(logFile, "utf8").split("\n").slice(0, -1);
      return whole.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as DaemonEvent);
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

const pidOf = ({ pid }: ChildProcess): number => {
  if (pid === undefined) throw new Error("selvedged has no process id");
  return pid;
};

/** Documentation/scheduler/sched-stats.rst: the first number of schedstat is nanoseconds on a CPU. */
function cpuMsOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
  return ns.reduce((sum, each) => sum + each, 0) / 1e6;
}

function memoryOf(pid: number): Memory {
  const field = (file: string, name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "utf8"));
    return Number(found?.[1]) / 1_024;
  };
  return { rssMib: field("status", "VmRSS"), peakMib: field("status", "VmHWM"), pssMib: field("smaps_rollup", "Pss") };
}
