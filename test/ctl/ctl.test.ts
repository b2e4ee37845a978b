import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { emptyHandlers } from "#lib/api/empty-handlers.ts";
import { type AdminHandlers, type Serving, serve } from "#lib/api/server.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { Admin, Attachment, Node } from "#proto/selvedge_pb.ts";

const top = dirname(dirname(import.meta.dirname));
const admin: AdminHandlers = {
  ...emptyHandlers(Admin),
  getStatus: async () => ({ ready: true, version: "0.1.0" }),
  listAttachments: async ({ network }) => ({
    attachments: [Attachment.of({ key: { containerId: "c1", ifname: "eth0" }, network })],
  }),
  getTrace: async (key) => ({ key, spans: [{ name: "queued", startUs: 0, durationUs: 5, lines: [] }] }),
  plan: async () => {
    throw new SelvedgeError({ kind: "kernel", call: "sendmsg", errno: 1 }, "sendmsg: EPERM", { hint: "Be root." });
  },
  reconcile: () => new Promise(() => {}),
};

let directory = "";
let socket = "";
let serving: Serving;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "selvedge-ctl-"));
  socket = join(directory, "d.sock");
  serving = await serve({
    socket,
    node: emptyHandlers(Node),
    admin,
    credentials: () => ({ uid: 0, pid: 1 }),
    log: () => {},
  });
});
afterEach(async () => {
  await serving.close(0);
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in a process of its own. */
const ctl = (words: readonly string[], env: Record<string, string> = { SELVEDGE_SOCKET: socket }) =>
  new Promise<Ended>((resolve) => {
    execFile(process.execPath, [join(top, "cmd/ctl.ts"), ...words], { env, timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

test("status asks the daemon of SELVEDGE_SOCKET", async () => {
  const { code, stdout, stderr } = await ctl(["status"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.split("\n")[0]).toBe("selvedged 0.1.0: ready");
});

test("--socket wins over SELVEDGE_SOCKET, and options reach the daemon", async () => {
  const { code, stdout } = await ctl(["attachments", "--json", "--network", "media", "--socket", socket], {
    SELVEDGE_SOCKET: "/nowhere",
  });
  const { attachments } = JSON.parse(stdout) as { attachments: { network: string }[] };
  expect(code).toBe(0);
  expect(attachments.map(({ network }) => network)).toEqual(["media"]);
});

test("a trace is found by the beginning of the container id", async () => {
  const { stdout } = await ctl(["trace", "c", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ key: { containerId: "c1", ifname: "eth0" }, spans: [{ name: "queued" }] });
});

test("no daemon: exit 3, and what to look at", async () => {
  const { code, stdout, stderr } = await ctl(["status"], { SELVEDGE_SOCKET: join(directory, "none.sock") });
  expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
  expect(stderr).toContain("none.sock");
});

test("the daemon refuses: exit 1, its message and its hint", async () => {
  expect(await ctl(["plan"])).toEqual({ code: 1, stdout: "", stderr: "selvedgectl: sendmsg: EPERM\nBe root.\n" });
});

test("the daemon takes too long: exit 3 after the timeout", async () => {
  const { code, stderr } = await ctl(["reconcile", "--timeout", "0.2"]);
  expect(code).toBe(3);
  expect(stderr).toContain("within 200 ms");
});

test("a wrong command line: exit 2, without asking anybody", async () => {
  expect(await ctl(["staus"], {})).toEqual({
    code: 2,
    stdout: "",
    stderr: 'selvedgectl: there is no command "staus"; did you mean "status"?\n',
  });
});

test("a reader that has seen enough is no failure", async () => {
  const child = spawn(process.execPath, [join(top, "cmd/ctl.ts"), "help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

const COMPLETED: [line: string, words: string[]][] = [
  ["selvedgectl st", ["status"]],
  ["selvedgectl ipam le", ["leases", "leaks"]],
  ["selvedgectl --json rec", ["reconcile"]],
  ["selvedgectl rese", ["reservations", "reserve"]],
  ["selvedgectl gc --d", ["--dry-run"]],
  ["selvedgectl completion z", ["zsh"]],
  ["selvedgectl trace --js", ["--json"]],
];
test.each(COMPLETED)("bash completes %j", async (line, words) => {
  const { stdout: script } = await ctl(["completion", "bash"]);
  const setting = `COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))`;
  const program = `${script}\n${setting}; _selvedgectl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)("bash", ["-uc", program]);
  expect(stdout.trim().split("\n")).toEqual(words);
});

test.each(["zsh", "fish"])("the completion for %s names every command", async (shell) => {
  const { stdout } = await ctl(["completion", shell]);
  for (const name of [
    "status",
    "attachments",
    "ipam",
    "trace",
    "plan",
    "reconcile",
    "gc",
    "reservations",
    "reserve",
    "release",
    "networks",
    "tenants",
    "completion",
    "help",
  ])
    expect(stdout).toContain(name);
});
