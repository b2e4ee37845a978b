import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { stubDaemon } from "./stub-daemon.ts";

const top = join(import.meta.dirname, "../..");
const scratch = mkdtempSync(join(tmpdir(), "selvedge-plugin-"));
const binary = join(scratch, "selvedge");
const socket = join(scratch, "daemon.sock");
const queue = join(scratch, "queue");

beforeAll(() => {
  const start = ["--bytecode", "--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"];
  const args = ["build", "--compile", "--minify", ...start, `--outfile=${binary}`, "cmd/cni.ts"];
  execFileSync(join(top, "node_modules/.bin/bun"), args, { cwd: top, stdio: "ignore" });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const CONFIG = '{"cniVersion":"1.1.0","name":"net1","type":"selvedge"}';
const BASE = {
  CNI_CONTAINERID: "c1",
  CNI_NETNS: "/run/netns/absent",
  CNI_IFNAME: "eth0",
  CNI_PATH: "/opt/cni/bin",
  SELVEDGE_SOCKET: socket,
  SELVEDGE_QUEUE: queue,
};
interface Ended {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
}
/** Runs the program with exactly this environment. */
function run(env: Record<string, string>, stdin: string | Uint8Array = CONFIG, args: string[] = []): Promise<Ended> {
  const started = performance.now();
  const child = spawn(binary, args, { env, cwd: scratch });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve) =>
    child.once("close", (exit) => resolve({ exit, out, err, tookMs: performance.now() - started })),
  );
}
const errorOf = ({ out }: Ended) =>
  JSON.parse(out) as { cniVersion: string; code: number; msg: string; details?: string };

/** Far below what a call may take, on a busy machine, too. */
const AT_ONCE_MS = 5_000;

interface Row {
  readonly name: string;
  readonly env: Record<string, string>;
  readonly stdin: string;
  readonly expect: { readonly exit: number; readonly stdout: { code?: number } | null };
}
const file = join(top, "../shared/data/cni-cases.json");
const protocol = (JSON.parse(readFileSync(file, "utf8")) as { protocol: Row[] }).protocol;
/** prevResult is the daemon's to read: it needs every address parser that there is. */
const ofThePlugin = protocol.filter(({ name }) => name !== "ADD prevResult bad CIDR");

test("the reference's table has rows", () => expect(ofThePlugin.length).toBeGreaterThan(50));

test("exit code, error code and silence of every protocol row of the reference", async () => {
  await using _daemon = await stubDaemon(socket, {
    Add: (_request, answer) => answer(null, { result: Buffer.from("{}") }),
  });
  for (const row of ofThePlugin) {
    const own = row.env.CNI_NETNS === "/same" ? { CNI_NETNS: "/proc/self/ns/net" } : {};
    const ended = await run({ ...row.env, ...own, SELVEDGE_SOCKET: socket, SELVEDGE_QUEUE: queue }, row.stdin);
    const { exit, stdout } = row.expect;
    const seen = {
      name: row.name,
      exit: ended.exit,
      silent: ended.out === "",
      code: ended.exit ? errorOf(ended).code : undefined,
    };
    expect(seen).toEqual({ name: row.name, exit, silent: stdout === null, code: stdout?.code });
  }
  expect(existsSync(queue)).toBe(false);
});

test("ADD hands everything to the daemon and prints what it says", async () => {
  const result = { cniVersion: "1.1.0", ips: [{ address: "10.1.0.5/16" }] };
  await using daemon = await stubDaemon(socket, {
    Add: (_request, answer) => answer(null, { result: Buffer.from(JSON.stringify(result)) }),
  });
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const ended = await run({ ...BASE, CNI_COMMAND: "ADD", CNI_ARGS: "K8S_POD_NAME=p", TRACEPARENT: trace });
  expect([ended.exit, ended.err, JSON.parse(ended.out)]).toEqual([0, "", result]);
  expect(daemon.seen).toEqual([
    {
      verb: "Add",
      request: {
        containerId: "c1",
        netns: "/run/netns/absent",
        ifname: "eth0",
        args: "K8S_POD_NAME=p",
        path: "/opt/cni/bin",
        config: CONFIG,
        netnsInode: 0,
        traceparent: trace,
        tracestate: "",
        allowOwnNetns: false,
      },
    },
  ]);
});

test("an error of the daemon is printed in the configuration's version", async () => {
  await using _daemon = await stubDaemon(socket, {
    Check: (_request, answer) => answer(null, { error: { code: 105, msg: "2 differences", details: "+ link eth0" } }),
  });
  const ended = await run({ ...BASE, CNI_COMMAND: "CHECK" }, CONFIG.replace("1.1.0", "0.4.0"));
  expect(ended.exit).toBe(1);
  expect(errorOf(ended)).toEqual({ cniVersion: "0.4.0", code: 105, msg: "2 differences", details: "+ link eth0" });
});

test.each([
  ["ADD", 11],
  ["CHECK", 11],
  ["GC", 11],
  ["STATUS", 50],
])("%s without a daemon fails at once with code %i and says what to look at", async (verb, code) => {
  const ended = await run({ ...BASE, CNI_COMMAND: verb, SELVEDGE_SOCKET: join(scratch, "nobody.sock") });
  expect(ended.exit).toBe(1);
  expect(errorOf(ended)).toMatchObject({ code, msg: expect.stringContaining("nobody.sock") });
  expect(errorOf(ended).details).toContain("selvedgectl status");
  expect(ended.tookMs).toBeLessThan(AT_ONCE_MS);
});

test("DEL without a daemon is queued and succeeds, malformed ones are still refused", async () => {
  const away = { ...BASE, CNI_COMMAND: "DEL", SELVEDGE_SOCKET: join(scratch, "nobody.sock") };
  const ended = await run(away);
  expect([ended.exit, ended.out, ended.err]).toEqual([0, "", ""]);
  expect(ended.tookMs).toBeLessThan(AT_ONCE_MS);
  const names = readdirSync(queue);
  expect(names).toHaveLength(1);
  expect(JSON.parse(readFileSync(join(queue, names[0] ?? ""), "utf8"))).toMatchObject({
    containerId: "c1",
    config: CONFIG,
  });
  expect(errorOf(await run({ ...away, CNI_CONTAINERID: "a/b" })).code).toBe(4);
  expect(errorOf(await run(away, "{")).code).toBe(6);
  expect(readdirSync(queue)).toHaveLength(1);
  rmSync(queue, { recursive: true });
});

test("a DEL whose daemon dies in the middle is queued", async () => {
  await using daemon = await stubDaemon(socket, { Del: () => daemon.server.forceShutdown() });
  expect((await run({ ...BASE, CNI_COMMAND: "DEL" })).exit).toBe(0);
  expect(readdirSync(queue)).toHaveLength(1);
  rmSync(queue, { recursive: true });
});

test("a DEL that can be neither done nor queued is a clear error", async () => {
  writeFileSync(join(scratch, "blocked"), "");
  const away = { ...BASE, CNI_COMMAND: "DEL", SELVEDGE_SOCKET: join(scratch, "nobody.sock") };
  const ended = await run({ ...away, SELVEDGE_QUEUE: `${scratch}/blocked/a:${scratch}/blocked/b` });
  expect(ended.exit).toBe(1);
  expect(errorOf(ended)).toMatchObject({ code: 104, msg: expect.stringMatching(/cannot be queued.*blocked\/b/) });
});

test("a request of several megabytes, and one that is too large", async () => {
  await using daemon = await stubDaemon(socket);
  const of = (length: number) => `{"cniVersion":"1.1.0","name":"n","x":"${"x".repeat(length)}"}`;
  expect((await run({ ...BASE, CNI_COMMAND: "ADD" }, of(3_000_000))).exit).toBe(0);
  expect(daemon.seen[0]?.request.config).toHaveLength(of(3_000_000).length);
  expect(errorOf(await run({ ...BASE, CNI_COMMAND: "ADD" }, of(5_000_000))).code).toBe(6);
});

test.each([
  ["--help", /CNI_COMMAND=VERSION/],
  ["--version", /^selvedge \S+\n$/],
])("%s", async (option, text) => {
  const ended = await run({}, "", [option]);
  expect([ended.exit, ended.err]).toEqual([0, ""]);
  expect(ended.out).toMatch(text);
});

test("started by hand it says what it is", async () => {
  const ended = await run({}, "");
  expect([ended.exit, ended.out]).toEqual([0, ""]);
  expect(ended.err).toBe(
    "CNI plugin selvedge\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n",
  );
});
