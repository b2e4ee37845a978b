/** `npm run quickstart` leaves the machine as it found it, whether it ends by itself or is ended. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { needing } from "./support/requirement.ts";

const top = dirname(import.meta.dirname);
/** Directories outside the clone where a container network would leave something. */
const WATCHED = ["/run", "/var/lib", "/var/log", "/etc/cni", "/opt/cni"];

/** What can be left behind, as lists of names that two moments are compared by. */
const machine = () => ({
  namespaces: execFileSync("ip", ["netns"], { encoding: "utf8" }),
  links: execFileSync("ip", ["-br", "link"], { encoding: "utf8" }),
  tables: execFileSync("nft", ["list", "tables"], { encoding: "utf8" }),
  mounts: readFileSync("/proc/self/mounts", "utf8"),
  files: WATCHED.filter((path) => existsSync(path)).flatMap((path) =>
    readdirSync(path).map((name) => join(path, name)),
  ),
  processes: processes(),
});

/** Command lines that only a tour has. */
function processes(): string[] {
  return globSync("/proc/[0-9]*/cmdline").flatMap((path) => {
    try {
      const command = readFileSync(path, "utf8").replaceAll("\0", " ");
      return /demo-(node|cluster)\.sh|tour\.sh|selvedged --config \/run\/demo|etcd --name=demo/.test(command)
        ? [command]
        : [];
    } catch {
      return []; // It has ended since the list was made.
    }
  });
}

interface Tour {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
}

function tour(temporary: string, argv: readonly string[] = []): Tour {
  const child = spawn("npm", ["run", "--silent", "quickstart", "--", ...argv], {
    cwd: top,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // npm keeps compiled code of its own below TMPDIR, whatever it runs.
    env: { ...process.env, TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: "1" },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (more) => (text += more));
  return { process: child, output: () => text, ended: once(child, "close").then(([code]) => code) };
}

async function until(what: () => boolean, deadlineMs: number): Promise<void> {
  for (let waited = 0; !what() && waited < deadlineMs; waited += 50) await sleep(50);
}

const runs = needing("root", { file: join(top, "dist/selvedged") });

const TOURS: [name: string, argv: readonly string[], shows: readonly RegExp[]][] = [
  [
    "one node",
    [],
    [
      / 0% packet loss/,
      /outside was reached from 192\.0\.2\.1$/m,
      /outside was reached from 2001:db8:2::1$/m,
      /pod-b was reached from 192\.0\.2\.2$/m,
      /pod-b was reached from 2001:db8:2::2$/m,
      /^pod-c: as it should be$/m,
      /^attachments: +0$/m,
      /^firewall entries: +0$/m,
    ],
  ],
  [
    "three nodes",
    ["--nodes", "3"],
    [
      /^alpha \(this\) +alive +heard of +192\.0\.2\.1 /m,
      /^beta +alive +IPv4 +direct +192\.0\.2\.2 /m,
      /^gamma +alive +IPv4 +vxlan +198\.51\.100\.3 /m,
      /^found from alpha \d+ ms after it had ended there$/m,
      /^gamma +attachments: 0, links of pods: 0, queued DELs: 0$/m,
    ],
  ],
];
test("there are tours", () => expect(TOURS.length).toBeGreaterThan(0));

needing("root", { file: join(top, "dist/selvedged") }, { program: "etcd" }).each(TOURS)(
  "the whole tour: %s",
  async (_name, argv, shows) => {
    const temporary = mkdtempSync(join(tmpdir(), "tour-"));
    try {
      const before = machine();
      const { ended, output } = tour(temporary, argv);
      const code = await ended;
      expect({ code, output: code === 0 ? "" : output() }).toEqual({ code: 0, output: "" });
      for (const line of shows) expect(output()).toMatch(line);
      expect(output()).not.toMatch(/ [1-9]\d*% packet loss/);
      expect(machine()).toEqual(before);
      expect(readdirSync(temporary)).toEqual([]);
    } finally {
      rmSync(temporary, { recursive: true });
    }
  },
);

runs.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("a tour ended by %s in the middle", async (signal) => {
  const temporary = mkdtempSync(join(tmpdir(), "tour-"));
  try {
    const before = machine();
    const { process: child, ended, output } = tour(temporary);
    await until(() => /Pod to pod/.test(output()), 60_000);
    expect(output()).toMatch(/Pod to pod/);
    // As a terminal does it: to the whole group of processes.
    process.kill(-(child.pid as number), signal);
    await ended;
    await until(() => processes().length === 0, 10_000);
    expect(machine()).toEqual(before);
    expect(readdirSync(temporary)).toEqual([]);
  } finally {
    rmSync(temporary, { recursive: true });
  }
});
