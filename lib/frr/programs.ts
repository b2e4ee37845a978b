/**
 * FRR's programs, with sockets, process ids and configuration in a directory of their own. They run on by themselves, so that
 * sessions outlive the daemon. Two of them in one namespace do not go together: a zebra takes routes in the kernel whose
 * protocol is BGP for its own, and removes them some time after its start.
 */
import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, speakerError } from "./run.ts";

/** In the order in which they start. */
export type Program = "zebra" | "staticd" | "bfdd" | "bgpd";

export interface ProgramsOptions {
  /** Where Debian's package has them: /usr/lib/frr. */
  readonly programs: string;
  readonly directory: string;
  /** Added to what every one of a kind is started with. */
  readonly more?: Readonly<Partial<Record<Program, readonly string[]>>>;
  /** What they read as they start, and not what any other FRR of the machine does. */
  readonly begin?: Readonly<Partial<Record<Program, string>>>;
}

export interface Programs {
  /** Process id of one that runs. */
  pidOf(program: Program): Promise<number | undefined>;
  /** Starts those that do not run. @returns whether there were any @throws SelvedgeError speaker */
  start(programs: readonly Program[]): Promise<boolean>;
  /** Ends all that run. */
  end(): Promise<void>;
}

const ALL: readonly Program[] = ["zebra", "staticd", "bfdd", "bgpd"];
const START_MS = 20_000;
const END_MS = 5_000;

export function frrPrograms({ programs, directory, more = {}, begin = {} }: ProgramsOptions): Programs {
  const pidFile = (program: Program): string => join(directory, `${program}.pid`);

  const pidOf = async (program: Program): Promise<number | undefined> => {
    const pid = Number((await textOf(pidFile(program)))?.trim());
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    // The number may be another's by now.
    const [name, ...words] = (await textOf(`/proc/${pid}/cmdline`))?.split("\0") ?? [];
    return name?.endsWith(`/${program}`) && words.includes(pidFile(program)) ? pid : undefined;
  };

  const start = async (program: Program): Promise<void> => {
    const file = join(directory, `${program}.conf`);
    await written(file, begin[program] ?? "");
    const common = ["-d", "-f", file, "-P", "0", "-z", join(directory, "zserv.api"), "-i", pidFile(program)];
    const control = program === "bfdd" ? ["--bfdctl", join(directory, "bfdd.sock")] : [];
    const words = [...common, "--vty_socket", directory, ...control, ...(more[program] ?? [])];
    await run(join(programs, program), words, START_MS);
  };

  return {
    pidOf,
    async start(wanted) {
      const missing: Program[] = [];
      for (const program of wanted) if ((await pidOf(program)) === undefined) missing.push(program);
      if (missing.length === 0) return false;
      await prepare(directory);
      for (const program of missing) await start(program);
      return true;
    },
    async end() {
      for (const program of ALL.toReversed()) {
        const pid = await pidOf(program);
        if (pid !== undefined) process.kill(pid, "SIGTERM");
        for (const end = performance.now() + END_MS; (await pidOf(program)) !== undefined; await sleep(20))
          if (performance.now() > end) throw speakerError(`${program} (${pid}) does not end`);
        await rm(pidFile(program), { force: true });
      }
    },
  };
}

/** The programs become FRR's own user, to whom the directory must belong. @throws SelvedgeError speaker */
async function prepare(directory: string): Promise<void> {
  const row = (await textOf("/etc/passwd"))?.split("\n").find((line) => line.startsWith("frr:"));
  const [, , user, group] = row?.split(":") ?? [];
  if (user === undefined || group === undefined)
    throw speakerError("there is no user frr", undefined, "Install the packages frr and frr-pythontools.");
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await chown(directory, Number(user), Number(group));
  } catch (cause) {
    throw speakerError((cause as Error).message, cause);
  }
  // vtysh misses it aloud.
  await written(join(directory, "vtysh.conf"), "");
}

async function written(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o644 }).catch((cause: Error) => {
    throw speakerError(cause.message, cause);
  });
}

const textOf = (file: string): Promise<string | undefined> => readFile(file, "utf8").catch(() => undefined);
