/** The installer on a node of its own: a directory for the files, the namespace of the test for links and rules. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { eventually, must, type Ran, run, start, stop } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";

const TOP = join(import.meta.dirname, "../..");
const SCRIPT = join(TOP, "install/kubernetes/install-node.sh");
const CONFLIST = join(TOP, "install/net.d/05-selvedge.conflist");
/** As the Dockerfile has them. */
const DROP_INS = [
  ["install/systemd/network", "systemd/network"],
  ["install/systemd/networkd.conf.d", "systemd/networkd.conf.d"],
  ["install/NetworkManager/conf.d", "NetworkManager/conf.d"],
] as const;
const BIN = "opt/cni/bin";
const CONF = "etc/cni/net.d";
const asRoot = needing("root", { program: "nft" }, { program: "ip" });

let top = "";
let root = "";
let programs = "";

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "install-"));
  root = join(top, "node");
  programs = join(top, "programs");
  mkdirSync(join(root, BIN), { recursive: true });
  mkdirSync(join(root, CONF), { recursive: true });
  mkdirSync(programs);
  write(join(root, BIN, "bridge"), "another's plugin");
  write(join(root, CONF, "10-other.conf"), "another's list");
  copyFileSync(CONFLIST, join(programs, "05-selvedge.conflist"));
  for (const [from, to] of DROP_INS) cpSync(join(TOP, from), join(programs, "drop-ins", to), { recursive: true });
  copyFileSync("/bin/sleep", join(programs, "selvedge"));
  // It says what the file beside it says.
  program("selvedgectl", `exit "$(cat "${top}/status")"`);
  program("selvedged", `echo "$$ $*" >"${top}/daemon"`);
  write(join(top, "status"), "0");
});
afterEach(() => rmSync(top, { recursive: true }));

const write = (path: string, text: string): void => writeFileSync(path, text);
function program(name: string, line: string): void {
  write(join(programs, name), `#!/bin/sh\n${line}\n`);
  chmodSync(join(programs, name), 0o755);
}
const environment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  ROOT: root,
  PROGRAMS: programs,
  READY_SECONDS: "1",
});
const install = (command: string, more: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run([SCRIPT, command], { environment: { ...environment(), ...more } });

/** Every file of the node with what it says, its mode and its inode. */
function tree(): Record<string, string> {
  const paths = globSync("**/{*,.*}", { cwd: root }).toSorted();
  return Object.fromEntries(
    paths.map((path) => {
      const { mode, ino } = lstatSync(join(root, path));
      const link = lstatSync(join(root, path)).isSymbolicLink() ? readlinkSync(join(root, path)) : "";
      return [path, `${mode.toString(8)} ${ino} ${link}`];
    }),
  );
}

test("the plugin and the list are put beside what others have, once", async () => {
  const before = tree();
  expect(await install("plugin")).toMatchObject({ exit: 0 });
  expect(await install("conflist")).toMatchObject({ exit: 0 });
  const after = tree();
  expect(Object.keys(after).filter((path) => !(path in before))).toEqual([
    `${CONF}/05-selvedge.conflist`,
    `${BIN}/loopback`,
    `${BIN}/selvedge`,
  ]);
  for (const [path, was] of Object.entries(before)) expect([path, after[path]]).toEqual([path, was]);
  expect(readFileSync(join(root, CONF, "05-selvedge.conflist"), "utf8")).toBe(readFileSync(CONFLIST, "utf8"));
  expect(readlinkSync(join(root, BIN, "loopback"))).toBe("selvedge");
  expect((statSync(join(root, BIN, "selvedge")).mode & 0o777).toString(8)).toBe("755");
  await install("plugin");
  await install("conflist");
  expect(tree()).toEqual(after);
});

test("a plugin that runs is replaced, and runs on", async () => {
  await install("plugin");
  const running = start([join(root, BIN, "selvedge"), "60"]);
  try {
    await eventually("it runs", async () => (running.pid === undefined ? undefined : true));
    // A copy over it is what the kernel refuses.
    expect(await run(["cp", "/bin/true", join(root, BIN, "selvedge")])).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining("Text file busy"),
    });
    copyFileSync("/bin/true", join(programs, "selvedge"));
    expect(await install("plugin")).toMatchObject({ exit: 0 });
    expect(readFileSync(join(root, BIN, "selvedge"))).toEqual(readFileSync("/bin/true"));
    expect([running.exitCode, running.signalCode]).toEqual([null, null]);
  } finally {
    await stop(running, 1_000);
  }
});

test("a loopback plugin of somebody else stays", async () => {
  write(join(root, BIN, "loopback"), "another's");
  await install("plugin");
  await install("uninstall");
  expect(readFileSync(join(root, BIN, "loopback"), "utf8")).toBe("another's");
});

test("a runtime that looks elsewhere has the plugin and the list there, and has them no more afterwards", async () => {
  const elsewhere = { BIN: join(top, "runtime/bin"), CONF: join(top, "runtime/net.d") };
  const before = tree();
  await install("plugin", elsewhere);
  await install("conflist", elsewhere);
  const put = [join(elsewhere.BIN, "selvedge"), join(elsewhere.CONF, "05-selvedge.conflist")];
  expect(put.filter((path) => !existsSync(path))).toEqual([]);
  expect(tree()).toEqual(before);
  expect(await install("uninstall", elsewhere)).toMatchObject({ exit: 0 });
  expect(globSync("**", { cwd: join(top, "runtime") }).toSorted()).toEqual([".", "bin", "net.d"]);
});

const NETWORKD = ["10-selvedge.link", "10-selvedge.network"].map((name) => `etc/systemd/network/${name}`);
const FOREIGN = "etc/systemd/networkd.conf.d/10-selvedge.conf";
const MANAGER = "etc/NetworkManager/conf.d/10-selvedge.conf";

test.each([
  ["systemd alone", ["etc/systemd/network"], [...NETWORKD, FOREIGN]],
  ["NetworkManager alone", ["etc/NetworkManager/conf.d"], [MANAGER]],
  ["both", ["etc/systemd/network", "etc/NetworkManager/conf.d"], [...NETWORKD, FOREIGN, MANAGER]],
  ["neither", [], []],
])(
  "a node with %s gets what tells it to leave our links alone, and has it no more afterwards",
  async (_what, has, gets) => {
    for (const directory of has) {
      mkdirSync(join(root, directory), { recursive: true });
      write(join(root, directory, "20-other.conf"), "another's");
    }
    const before = tree();
    expect(await install("drop-ins")).toMatchObject({ exit: 0 });
    const after = tree();
    const files = Object.keys(after).filter((path) => !(path in before) && !path.endsWith("networkd.conf.d"));
    expect(files.toSorted()).toEqual(gets.toSorted());
    for (const path of gets)
      expect(readFileSync(join(root, path), "utf8")).toBe(
        readFileSync(join(programs, "drop-ins", path.replace("etc/", "")), "utf8"),
      );
    await install("drop-ins");
    expect(tree()).toEqual(after);
    await install("uninstall");
    expect(tree()).toEqual(before);
  },
);

test("a directory for drop-ins in which others have something stays", async () => {
  mkdirSync(join(root, "etc/systemd/networkd.conf.d"), { recursive: true });
  const others = join(root, "etc/systemd/networkd.conf.d/20-other.conf");
  write(others, "another's");
  await install("drop-ins");
  await install("uninstall");
  expect(readFileSync(others, "utf8")).toBe("another's");
});

test("no list is written before the node is ready", async () => {
  write(join(top, "status"), "4");
  expect(await install("conflist")).toMatchObject({
    exit: 1,
    stderr: "install-node: not ready after 1 s; no 05-selvedge.conflist is written\n",
  });
  expect(existsSync(join(root, CONF, "05-selvedge.conflist"))).toBe(false);
  const waiting = run([SCRIPT, "conflist"], { environment: { ...environment(), READY_SECONDS: "0" } });
  await new Promise((resolve) => setTimeout(resolve, 300));
  write(join(top, "status"), "0");
  expect(await waiting).toMatchObject({ exit: 0 });
  expect(existsSync(join(root, CONF, "05-selvedge.conflist"))).toBe(true);
});

test("the daemon takes the installer's place, and the list follows", async () => {
  const child = start([SCRIPT, "run"], environment());
  try {
    await eventually("the daemon is started", async () => existsSync(join(top, "daemon")) || undefined);
    expect(readFileSync(join(top, "daemon"), "utf8")).toBe(`${child.pid} --config /etc/selvedge/selvedged.yaml\n`);
    await eventually(
      "the list is written",
      async () => existsSync(join(root, CONF, "05-selvedge.conflist")) || undefined,
    );
  } finally {
    await stop(child, 1_000);
  }
});

test.each([
  ["0", 0],
  ["4", 0],
  ["3", 1],
  ["1", 1],
])("selvedgectl ends with %s: alive ends with %d", async (status, exit) => {
  write(join(top, "status"), status);
  expect(await install("alive")).toMatchObject({ exit });
});

asRoot("what was installed and what a daemon has left goes; what others have stays", async () => {
  const before = tree();
  await install("plugin");
  await install("conflist");
  mkdirSync(join(root, "var/lib/selvedge/queue"), { recursive: true });
  const router = join(root, "run/selvedge/tenants/selvedge-blue");
  mkdirSync(dirname(router), { recursive: true });
  write(router, "");
  await must(["mount", "-n", "--bind", "/proc/self/ns/net", router]);
  const nft = "table inet selvedge { chain a { }; }; table inet others { chain a { }; }";
  await must(["nft", nft]);
  try {
    for (const [name, alias] of [
      ["own0", "selvedge way to beta"],
      ["other0", "not selvedge's"],
    ] as const) {
      await must(["ip", "link", "add", name, "type", "veth", "peer", "name", `${name}p`]);
      await must(["ip", "link", "set", name, "up", "alias", alias]);
    }
    await must(["ip", "route", "add", "203.0.113.0/25", "dev", "lo", "protocol", "83"]);
    await must(["ip", "route", "add", "203.0.113.128/25", "dev", "lo"]);
    await must(["ip", "rule", "add", "priority", "100", "table", "77", "protocol", "83"]);
    await must(["ip", "rule", "add", "priority", "101", "table", "78"]);
    expect(await install("uninstall")).toMatchObject({ exit: 0 });
    const { var: _, run: __, ...left } = tree();
    for (const path of ["var/lib", "run"]) delete left[path];
    expect(left).toEqual(before);
    expect(existsSync(join(root, "var/lib/selvedge"))).toBe(false);
    expect(existsSync(join(root, "run/selvedge"))).toBe(false);
    expect(await must(["nft", "list", "tables"])).toBe("table inet others\n");
    const links = await must(["ip", "-oneline", "link", "show"]);
    expect([links.includes("own0"), links.includes("other0")]).toEqual([false, true]);
    const routes = await must(["ip", "route", "show"]);
    expect([routes.includes("203.0.113.0/25"), routes.includes("203.0.113.128/25")]).toEqual([false, true]);
    const rules = await must(["ip", "rule", "show"]);
    expect([rules.includes("lookup 77"), rules.includes("lookup 78")]).toEqual([false, true]);
    expect(await install("uninstall")).toMatchObject({ exit: 0 });
  } finally {
    await run(["nft", "delete table inet others"]);
    await run(["ip", "link", "delete", "other0"]);
    await run(["ip", "route", "delete", "203.0.113.128/25", "dev", "lo"]);
    await run(["ip", "rule", "delete", "priority", "101"]);
  }
});

asRoot("as long as a container is attached, nothing is taken away", async () => {
  await install("conflist");
  const end = "sv0123456789a";
  await must(["ip", "link", "add", end, "type", "veth", "peer", "name", "in-pod"]);
  await must(["ip", "link", "set", end, "alias", "selvedge 5e1f eth0"]);
  const leaving = start([SCRIPT, "uninstall"], environment());
  try {
    let told = "";
    leaving.stderr?.on("data", (bytes: Buffer) => {
      told += bytes.toString();
    });
    await eventually("it says what it waits for", async () => told || undefined);
    expect(told).toBe("install-node: waits for the end of containers that Selvedge attached: 5e1f\n");
    expect(existsSync(join(root, CONF, "05-selvedge.conflist"))).toBe(true);
    await must(["ip", "link", "delete", end]);
    await eventually("it goes on", async () => leaving.exitCode === 0 || undefined);
    expect(existsSync(join(root, CONF, "05-selvedge.conflist"))).toBe(false);
  } finally {
    await stop(leaving, 1_000);
    await run(["ip", "link", "delete", end]);
  }
});

const BUILT = join(TOP, "dist");
const withPrograms = needing("root", { program: "nft" }, { program: "ip" }, { file: join(BUILT, "selvedged") });
withPrograms("the real daemon is ready when the list is there, and nothing of it stays on the node", async () => {
  for (const name of ["selvedge", "selvedged", "selvedgectl"]) {
    rmSync(join(programs, name));
    symlinkSync(join(BUILT, name), join(programs, name));
  }
  const [state, socket] = [join(root, "var/lib/selvedge"), join(root, "run/selvedge/selvedged.sock")];
  const config = join(top, "selvedged.yaml");
  write(config, JSON.stringify({ stateDir: state, socket, queueDirs: [join(state, "queue")] }));
  const ruleset = () => must(["nft", "list", "ruleset"]);
  const links = () => must(["ip", "-oneline", "link", "show"]);
  const before = [await ruleset(), await links(), Object.keys(tree())];
  const child = start([SCRIPT, "run"], { ...environment(), CONFIG: config, READY_SECONDS: "60" });
  for (const stream of [child.stdout, child.stderr]) stream?.resume();
  try {
    const list = join(root, CONF, "05-selvedge.conflist");
    await eventually("the list is written", async () => existsSync(list) || undefined);
    expect(await must(["nft", "list", "tables"])).toContain("table inet selvedge");
    expect(await install("alive")).toMatchObject({ exit: 0 });
  } finally {
    await stop(child, 20_000);
  }
  expect(await install("alive")).toMatchObject({ exit: 1 });
  expect(await install("uninstall")).toMatchObject({ exit: 0 });
  const after = Object.keys(tree()).filter((path) => !["var", "var/lib", "run"].includes(path));
  expect([await ruleset(), await links(), after]).toEqual(before);
});

test("what is no command is told what there is", async () => {
  const { exit, stderr } = await install("upgrade");
  expect(exit).toBe(2);
  for (const command of ["run", "plugin", "drop-ins", "conflist", "alive", "uninstall"])
    expect(stderr).toContain(`install-node.sh ${command} `);
});
