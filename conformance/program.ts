/** Running a program from outside, as a runtime does: exact environment, standard input, and never without a deadline. */
import { type ChildProcess, spawn } from "node:child_process";

export interface Ran {
  /** Undefined when a signal ended it. */
  readonly exit: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

export interface Options {
  /** Absent: this process's own. Given: exactly this. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** After this the program and its children are killed. */
  readonly deadlineMs?: number;
}

/** Argument list of `argv` inside the network namespace `name` of /run/netns; /sys and cgroups stay as they are. */
export const inside = (name: string, argv: readonly string[]): string[] => [
  "/usr/bin/nsenter",
  `--net=/run/netns/${name}`,
  "--",
  ...argv,
];

/** Runs to the end. A program that cannot be started rejects; one that fails, or is killed by the deadline, does not. */
export function run(argv: readonly string[], options: Options = {}): Promise<Ran> {
  const { input = "", deadlineMs = 20_000 } = options;
  const startedMs = performance.now();
  const child = start(argv, options.environment);
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timer = setTimeout(() => end(child, "SIGKILL"), deadlineMs);
    child.stdout?.on("data", (bytes: Buffer) => out.push(bytes));
    child.stderr?.on("data", (bytes: Buffer) => err.push(bytes));
    // A program may end without having read its input.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(out).toString();
      const stderr = Buffer.concat(err).toString();
      resolve({ exit: code ?? undefined, stdout, stderr, tookMs: performance.now() - startedMs });
    });
  });
}

/** Runs and returns standard output. @throws Error when the program does not end with 0 */
export async function must(argv: readonly string[], options: Options = {}): Promise<string> {
  const ran = await run(argv, options);
  if (ran.exit !== 0) throw new Error(`${argv.join(" ")}: exit ${ran.exit}: ${ran.stderr.trim() || ran.stdout.trim()}`);
  return ran.stdout;
}

/** Starts a program in a process group of its own, with pipes. */
export function start(argv: readonly string[], environment?: Readonly<Record<string, string>>): ChildProcess {
  const [program = "", ...rest] = argv;
  return spawn(program, rest, { stdio: "pipe", detached: true, ...(environment && { env: { ...environment } }) });
}

/** Signals the process group that `start` made; silent when it has ended. */
export function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ends a program and waits for it: SIGTERM, then SIGKILL after `patienceMs`. */
export async function stop(child: ChildProcess, patienceMs = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const timer = setTimeout(() => end(child, "SIGKILL"), patienceMs);
  end(child, "SIGTERM");
  await ended;
  clearTimeout(timer);
}

/**
 * Asks again until `probe` answers, with pauses. `false` is no answer: what would end every wait at once does not compile.
 * @throws Error "…: not within N ms", with the last failure
 */
export async function eventually<T extends object | string | number | true>(
  what: string,
  probe: () => Promise<T | undefined>,
  withinMs = 60_000,
): Promise<T> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    let failure: unknown;
    const found = await probe().catch((error: unknown) => {
      failure = error;
      return undefined;
    });
    if (found !== undefined) return found;
    if (performance.now() > untilMs) throw new Error(`${what}: not within ${withinMs} ms`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
