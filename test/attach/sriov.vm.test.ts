/** Virtual functions on real PCI functions through the real plugin and daemon, in the first namespace of the guest. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { type Ran, run } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { invocation, PLUGIN, type Verb } from "../support/invocation.ts";

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });
const driverOf = (pci: string): string => basename(readlinkSync(join("/sys/bus/pci/devices", pci, "driver")));
/** Links on the node of the first card's virtual functions, by index; undefined for one that is elsewhere. */
const linkOf = (index: number): string | undefined =>
  spawnSync("ls", [join("/sys/bus/pci/devices", CARD, `virtfn${index}`, "net")], { encoding: "utf8" }).stdout.trim() ||
  undefined;

/** Where QEMU puts the first card. */
const CARD = "0000:01:00.0";
const COUNT = 3;

let directory: string;
let daemon: Daemon;
beforeAll(async () => {
  // Another file of the same boot may have made some.
  writeFileSync(join("/sys/bus/pci/devices", CARD, "sriov_numvfs"), "0");
  directory = mkdtempSync(join(tmpdir(), "sriov-"));
  daemon = await startDaemon({
    enter: (argv) => [...argv],
    directory,
    config: {
      ipam: { coolDownSeconds: 0 },
      pools: [{ name: "fast", ranges: [[{ subnet: "10.8.0.0/24" }]] }],
      defaultPool: "fast",
      sriov: { pools: [{ name: "cards", physical: [CARD], vendor: "1b36", virtualFunctions: COUNT }] },
      networks: [
        { name: "fast", attachment: "sriov", vlan: 100, mtu: 1400, options: { devicePool: "cards", trust: "on" } },
        { name: "dpdk", attachment: "sriov", options: { devicePool: "cards", driver: "vfio-pci" } },
        { name: "inline", attachment: "sriov" },
      ],
    },
  });
  execFileSync("modprobe", ["vfio-pci"]);
}, 300_000);
afterAll(async () => {
  await daemon?.kill();
  rmSync(directory, { recursive: true });
});

function ask(verb: Verb, id: string, config: object = { network: "fast" }, variables = {}): Promise<Ran> {
  const asked = { config: config as JsonObject, variables: { CNI_IFNAME: "net1", ...variables } };
  return run([PLUGIN], invocation(daemon, verb, id, asked));
}

interface Result {
  readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly pciID: string }[];
  readonly ips: readonly { readonly address: string }[];
}

async function added(id: string, config?: object): Promise<Result> {
  ip("netns", "add", id);
  const reply = await ask("ADD", id, config);
  expect([reply.exit, reply.stdout]).toEqual([0, expect.stringContaining("cniVersion")]);
  return JSON.parse(reply.stdout);
}

async function removed(id: string, config?: object): Promise<void> {
  for (const _again of [1, 2]) expect(await ask("DEL", id, config)).toMatchObject({ exit: 0 });
  spawnSync("ip", ["netns", "del", id]);
}

test("the daemon makes the virtual functions; pods get one each, with the VLAN, and reach each other", async () => {
  const untouched = [0, 1, 2].map(linkOf);
  expect(untouched.every((link) => link !== undefined)).toBe(true);
  const [card = ""] = execFileSync("ls", [join("/sys/bus/pci/devices", CARD, "net")], { encoding: "utf8" }).split("\n");
  ip("link", "set", card, "up");
  const results = [await added("a"), await added("b")];
  expect(results.map(({ interfaces }) => interfaces[0]?.pciID)).toEqual(["0000:01:00.1", "0000:01:00.2"]);
  const [first] = JSON.parse(ip("-j", "-d", "link", "show", card))[0].vfinfo_list;
  expect(first).toMatchObject({ address: results[0]?.interfaces[0]?.mac, vlan_list: [{ vlan: 100 }], trust: true });
  const target = results[1]?.ips[0]?.address.split("/")[0] ?? "";
  expect(spawnSync("ip", ["netns", "exec", "a", "busybox", "ping", "-c", "1", "-W", "3", target]).status).toBe(0);
  expect(await ask("CHECK", "a", { network: "fast", prevResult: results[0] })).toMatchObject({ exit: 0 });

  await removed("a");
  await removed("b");
  expect([0, 1, 2].map(linkOf)).toEqual(untouched);
  expect(JSON.parse(ip("-j", "-d", "link", "show", card))[0].vfinfo_list[0]).toMatchObject({ trust: false });
}, 300_000);

test("a function that a pod has is refused by name; an exhausted pool says so; a vanished namespace gives it back", async () => {
  const ids = ["c", "d", "e"];
  const untouched = [0, 1, 2].map(linkOf);
  for (const id of ids) await added(id);
  ip("netns", "add", "f");
  const none = JSON.parse((await ask("ADD", "f")).stdout);
  expect(none).toMatchObject({
    code: 106,
    msg: expect.stringContaining(`devicePool: none of the ${COUNT} virtual functions of `),
  });
  const device = { network: "inline", runtimeConfig: { deviceID: "0000:01:00.1" } };
  expect(JSON.parse((await ask("ADD", "f", device)).stdout).msg).toBe(
    "runtimeConfig.deviceID: 0000:01:00.1 is lent to container c, interface net1",
  );
  ip("netns", "del", "c");
  expect(await ask("DEL", "c", undefined, { CNI_NETNS: "" })).toMatchObject({ exit: 0 });
  expect(linkOf(0)).toBe(untouched[0]);
  // The daemon is killed in between: what it had lent is on its disk.
  const result = await ask("ADD", "f", device);
  expect(result).toMatchObject({ exit: 0 });
  await daemon.kill();
  await daemon.start();
  for (const id of [...ids, "f"]) await removed(id);
  expect([0, 1, 2].map(linkOf)).toEqual(untouched);
}, 600_000);

test("handed over to vfio-pci and back", async () => {
  const config = { network: "dpdk" };
  const result = await added("g", config);
  const pci = result.interfaces[0]?.pciID ?? "";
  expect(driverOf(pci)).toBe("vfio-pci");
  const [card = ""] = execFileSync("ls", [join("/sys/bus/pci/devices", CARD, "net")], { encoding: "utf8" }).split("\n");
  const [first] = JSON.parse(ip("-j", "-d", "link", "show", card))[0].vfinfo_list;
  expect(first).toMatchObject({ address: result.interfaces[0]?.mac });
  const group = basename(readlinkSync(join("/sys/bus/pci/devices", pci, "iommu_group")));
  expect(existsSync(`/dev/vfio/${group}`)).toBe(true);
  expect(ip("-n", "g", "-br", "link").trim().split("\n")).toHaveLength(1);
  expect(await ask("CHECK", "g", { ...config, prevResult: result })).toMatchObject({ exit: 0, stdout: "" });
  await removed("g", config);
  expect(driverOf(pci)).toBe("fakesriov");
}, 300_000);
