import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import type { Delegation } from "#lib/delegate/delegate.ts";
import { execDelegate } from "#lib/delegate/exec.ts";
import { isFailure } from "#lib/errors.ts";
import { run } from "../../conformance/program.ts";

const REFERENCE = "/usr/lib/cni";
const scratch = mkdtempSync(join(tmpdir(), "selvedge-delegate-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const heard: string[] = [];
const delegate = execDelegate((plugin, text) => void heard.push(`${plugin}: ${text}`));
const config = (ipam: object, cniVersion = "1.0.0") =>
  new TextEncoder().encode(JSON.stringify({ cniVersion, name: "net1", type: "selvedge", ipam }));
const delegation = (of: Partial<Delegation>): Delegation => ({
  plugin: "host-local",
  verb: "ADD",
  path: `${scratch}:${REFERENCE}`,
  containerId: "c1",
  netns: "/run/netns/none",
  ifname: "eth0",
  args: "",
  config: config({}),
  cniVersion: "1.0.0",
  deadlineMs: 5_000,
  ...of,
});
/** A plugin of the given shell commands. */
function script(name: string, body: string): void {
  writeFileSync(join(scratch, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}
async function failureOf(of: Partial<Delegation>) {
  try {
    await delegate(delegation(of));
  } catch (error) {
    if (isFailure(error)) return { ...error.failure, message: error.message };
    throw error;
  }
  throw new Error("it did not fail");
}

const present = existsSync(join(REFERENCE, "host-local"));
if (!present && process.env.CI) throw new Error("containernetworking-plugins is not installed");
if (!present) console.warn("skipped: containernetworking-plugins is not installed");
const withReference = present ? test : test.skip;

withReference.each(["0.2.0", "0.4.0", "1.0.0"] as const)(
  "host-local gives an address and takes it back, %s",
  async (v) => {
    const ipam = { type: "host-local", subnet: "10.9.0.0/24", dataDir: join(scratch, `leases-${v}`) };
    const of = { config: config(ipam, v), cniVersion: v };
    const result = await delegate(delegation(of));
    expect(result?.ips).toEqual([{ address: "10.9.0.2/24", gateway: "10.9.0.1" }]);
    expect((await failureOf(of)).message).toContain("plugin host-local failed ADD: failed to allocate");
    if (v !== "0.2.0") await delegate(delegation({ ...of, verb: "CHECK" }));
    await delegate(delegation({ ...of, verb: "DEL" }));
    await delegate(delegation({ ...of, verb: "DEL" }));
  },
);

withReference("static repeats the addresses of the configuration", async () => {
  const ipam = { type: "static", addresses: [{ address: "10.8.0.7/16", gateway: "10.8.0.1" }] };
  const result = await delegate(delegation({ plugin: "static", config: config(ipam) }));
  expect(result?.ips).toEqual([{ address: "10.8.0.7/16", gateway: "10.8.0.1" }]);
});

test("exactly the protocol's variables, and the whole configuration", async () => {
  script("show", 'env | grep -v "^PWD=\\|^SHLVL=\\|^_=" | sort >&2; cat >&2; echo "{}"');
  heard.length = 0;
  await delegate(delegation({ plugin: "show", args: "A=1", config: config({ type: "show" }) }));
  expect(heard.join().split("\n")).toEqual([
    "show: CNI_ARGS=A=1",
    "CNI_COMMAND=ADD",
    "CNI_CONTAINERID=c1",
    "CNI_IFNAME=eth0",
    "CNI_NETNS=/run/netns/none",
    `CNI_PATH=${scratch}:${REFERENCE}`,
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    '{"cniVersion":"1.0.0","name":"net1","type":"selvedge","ipam":{"type":"show"}}',
  ]);
});

const scripts: [string, string, object][] = [
  ["hangs", "sleep 60 & wait", { kind: "deadline" }],
  ["garbage", "echo hello", { kind: "delegate", code: 0 }],
  ["silent", ":", { kind: "delegate", code: 0 }],
  ["dies", "kill -9 $$", { kind: "delegate", code: 0, message: "plugin dies failed ADD: it was killed" }],
  ["floods", "yes", { kind: "delegate", message: "plugin floods failed ADD: too much output; it was killed" }],
  ["complains", "echo oh dear >&2; exit 3", { message: "plugin complains failed ADD: it ended with code 3: oh dear" }],
  [
    "refuses",
    `echo '{"cniVersion":"1.0.0","code":11,"msg":"later","details":"soon"}'; exit 1`,
    { kind: "delegate", plugin: "refuses", code: 11, message: "plugin refuses failed ADD: later" },
  ],
  ["badresult", `echo '{"cniVersion":"1.0.0","ips":[{"address":"x"}]}'`, { kind: "delegate", code: 0 }],
];
test.each(scripts)("a plugin that %s", async (name, body, failure) => {
  script(name, body);
  expect(await failureOf({ plugin: name, deadlineMs: 400 })).toMatchObject(failure);
});

test("a deadline ends an ADD though what the plugin has started lives on and holds its output", async () => {
  const pidFile = join(scratch, "grandchild.pid");
  script(
    "forks",
    `setsid sh -c 'echo $$ >${pidFile}; exec sleep 600' & while ! [ -s ${pidFile} ]; do sleep 0.05; done; wait`,
  );
  try {
    expect(await failureOf({ plugin: "forks", deadlineMs: 15_000 })).toMatchObject({ kind: "deadline" });
    expect(() => process.kill(Number(readFileSync(pidFile, "utf8")), 0)).not.toThrow();
  } finally {
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    if (pid > 0) process.kill(pid, "SIGKILL");
  }
});

test("without a descriptor to be had a plugin cannot be run, and nobody ends of it", async () => {
  script("fine", 'echo "{}"');
  const program = `
    import { openSync } from "node:fs";
    import { execDelegate } from "#lib/delegate/exec.ts";
    const delegate = execDelegate(() => {});
    const of = { verb: "ADD", containerId: "c1", netns: "/n", ifname: "eth0", args: "", cniVersion: "1.0.0" };
    const wish = { ...of, plugin: "fine", path: ${JSON.stringify(scratch)}, config: Buffer.from("{}"), deadlineMs: 600_000 };
    process.stdout.write(""); // standard output is opened with its first use
    try {
      for (;;) openSync("/dev/null");
    } catch {
      await delegate(wish).catch(({ message }) => console.log(message));
    }`;
  const node = [process.execPath, "--input-type=module", "--eval", program];
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const ended = await run(["sh", "-c", 'ulimit -n 128; exec "$@"', "sh", ...node], { environment });
  expect(ended).toMatchObject({
    exit: 0,
    stdout: `plugin fine cannot be run: spawn ${join(scratch, "fine")} EMFILE\n`,
    stderr: "",
  });
});

test("null is an empty result", async () => {
  script("null", "echo null");
  expect(await delegate(delegation({ plugin: "null" }))).toEqual({ interfaces: [], ips: [], routes: [], dns: {} });
});

test.each(["../sh", "", ".", "/bin/sh"])("%j is no name of a plugin", async (plugin) => {
  expect(await failureOf({ plugin })).toMatchObject({ kind: "config-invalid", field: "ipam.type" });
});

test("a plugin that is not there is named with the path", async () => {
  expect(await failureOf({ plugin: "nowhere" })).toMatchObject({
    kind: "delegate",
    message: `failed to find plugin "nowhere" in path [${scratch}:${REFERENCE}]`,
  });
});
