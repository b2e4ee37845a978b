/**
 * Programs started the cheapest way that there is here: Bun's posix_spawn, with the input in memory. What is timed is
 * the whole process: from before it is made until it has ended and its output has been read.
 */

/** The part of Bun's interface that is used here. `cpuTime` is in microseconds and includes waited-for children. */
declare const Bun: {
  nanoseconds(): number;
  spawnSync(options: Spawn): {
    readonly exitCode: number | null;
    readonly stdout: Uint8Array;
    readonly stderr: Uint8Array;
    readonly resourceUsage: Usage;
  };
  spawn(options: Spawn): {
    readonly stdout: ReadableStream<Uint8Array>;
    readonly stderr: ReadableStream<Uint8Array>;
    readonly exited: Promise<number>;
    resourceUsage(): Usage | undefined;
  };
};

interface Spawn {
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  readonly stdout: "pipe";
  readonly stderr: "pipe";
}

interface Usage {
  readonly cpuTime: { readonly total: bigint };
}

export interface Command {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string;
}

export interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpuUs: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const spawnOf = ({ argv, environment, input }: Command): Spawn => ({
  cmd: argv,
  env: environment,
  stdin: encoder.encode(input),
  stdout: "pipe",
  stderr: "pipe",
});

/** Milliseconds on a monotonic clock. */
export const nowMs = (): number => Bun.nanoseconds() / 1e6;

/** Blocks until the program has ended. A program that a signal ended has exit code -1. */
export function runSync(command: Command): Ended {
  const { exitCode, stdout, stderr, resourceUsage } = Bun.spawnSync(spawnOf(command));
  return {
    exit: exitCode ?? -1,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
    cpuUs: Number(resourceUsage.cpuTime.total),
  };
}

/** The same beside others. */
export async function run(command: Command): Promise<Ended> {
  const child = Bun.spawn(spawnOf(command));
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, stdout, stderr, cpuUs: Number(child.resourceUsage()?.cpuTime.total ?? 0n) };
}
