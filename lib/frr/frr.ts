/** The real speaker: FRR 8.4 or newer, as Debian's packages frr and frr-pythontools have it. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { frrPrograms, type Program } from "./programs.ts";
import { run, speakerError } from "./run.ts";
import { readSessions } from "./sessions.ts";
import type { Speaker } from "./speaker.ts";

export interface FrrOptions {
  /** Directory of FRR's programs, and of frr-reload.py. */
  readonly programs: string;
  /** Of sockets, process ids and the configuration; `vtysh --vty_socket` takes it. */
  readonly directory: string;
  /** TCP port that bgpd listens on; 0: it only calls. */
  readonly port: number;
  /** How long routes stay in the kernel while zebra starts again. */
  readonly restartSeconds?: number;
  readonly nowMs: () => number;
  /** How often what bgpd has is compared though nothing is new. */
  readonly lookMs: number;
}

const ROUTES_SECONDS = 60;
/** BFD has ports that may be another program's where nobody asks for it. */
const programsFor = (text: string): readonly Program[] =>
  /^ neighbor \S+ bfd$/m.test(text) ? ["zebra", "bfdd", "bgpd"] : ["zebra", "bgpd"];
/** Debian's: vtysh is for people, too. */
const VTYSH = "vtysh";
const PYTHON = "python3";
const ASK_MS = 10_000;
/** frr-reload.py runs vtysh several times; a full table of neighbours takes it some seconds. */
const RELOAD_MS = 120_000;

export function frr({
  programs,
  directory,
  port,
  restartSeconds = ROUTES_SECONDS,
  nowMs,
  lookMs,
}: FrrOptions): Speaker {
  const file = join(directory, "frr.conf");
  /** Where frr-reload.py puts what is to be added, passwords among it, for everybody to read. */
  const closed = join(directory, "changes");
  const processes = frrPrograms({
    programs,
    directory,
    // A router may be where the default route leads.
    begin: { zebra: "ip nht resolve-via-default\nipv6 nht resolve-via-default\n" },
    more: {
      // Enough for a burst of link events (Debian's daemons file); routes stay while it starts again.
      zebra: ["-s", "90000000", "-A", "127.0.0.1", "-r", "-K", String(Math.max(restartSeconds, 1))],
      bgpd: ["-p", String(port), "-A", "127.0.0.1"],
      bfdd: ["-A", "127.0.0.1"],
    },
  });
  const ask = (...words: string[]): Promise<string> => run(VTYSH, ["--vty_socket", directory, ...words], ASK_MS);
  const running = (): Promise<string> => ask("-d", "bgpd", "-c", "show running-config");
  /** What bgpd was told last, and how it tells that itself. */
  let told: { readonly text: string; readonly running: string; readonly atMs: number } | undefined;

  const tell = async (text: string): Promise<void> => {
    // Passwords are in it. FRR's own user reads nothing: vtysh does. An empty file is refused by frr-reload.py.
    try {
      await mkdir(closed, { recursive: true, mode: 0o700 });
      await writeFile(file, `! Written by selvedged.\n${text}`, { mode: 0o600 });
    } catch (cause) {
      throw speakerError((cause as Error).message, cause);
    }
    const places = ["--bindir", "/usr/bin", "--confdir", directory, "--rundir", closed, "--vty_socket", directory];
    // Else it writes all that it does to /var/log/frr/frr-reload.log, for everybody to read, too.
    const log = ["--stdout", "--log-level", "warning"];
    const words = ["--reload", "--daemon", "bgpd", ...log, ...places, file];
    const reload = () => run(PYTHON, [join(programs, "frr-reload.py"), ...words], RELOAD_MS);
    // It says everything twice, and some commands fail when they are repeated (`neighbor … graceful-restart-disable`): what
    // is wrong is so when only the rest is left, too.
    await reload().catch(reload);
  };

  const isAsTold = async (text: string): Promise<boolean> => {
    if (told?.text !== text) return false;
    if (nowMs() - told.atMs < lookMs) return true;
    if ((await running()) !== told.running) return false;
    told = { ...told, atMs: nowMs() };
    return true;
  };

  const isRunning = async (): Promise<boolean> => (await processes.pidOf("bgpd")) !== undefined;

  return {
    isRunning,
    async follow(text) {
      const isStarted = await processes.start(programsFor(text));
      if (!isStarted && (await isAsTold(text))) return false;
      told = undefined;
      const before = await running();
      await tell(text);
      told = { text, running: await running(), atMs: nowMs() };
      return isStarted || told.running !== before;
    },
    async sessions() {
      if (!(await isRunning())) return [];
      const answer = await ask("-c", "show bgp summary json");
      try {
        return readSessions(JSON.parse(answer));
      } catch (cause) {
        throw speakerError(`\`show bgp summary json\` answers ${answer.slice(0, 80)}`, cause);
      }
    },
    async cease() {
      if (await isRunning()) {
        await processes.start(["zebra"]);
        // Else it would look like a restart, and routers keep what was said for a while (RFC 8538: only a hard reset is none).
        const as = /^router bgp (\d+)/m.exec(await running())?.[1];
        if (as !== undefined) await ask("-c", "configure terminal", "-c", `router bgp ${as}`, "-c", "bgp shutdown");
        await tell("");
      }
      await processes.end();
      told = undefined;
      await rm(file, { force: true });
      await rm(closed, { recursive: true, force: true });
    },
  };
}
