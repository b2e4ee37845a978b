/** Virtual functions on real PCI functions, in the guest of test/vm: what rtnetlink, sysfs and the kernel's drivers do with them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import type { PhysicalFunction } from "#lib/kernel/devices.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import type { Device } from "#lib/state/device.ts";
import type { DriverFact, VirtualFunctionFact } from "#lib/state/device-fact.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { add, undo } from "./ops.ts";

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });
// biome-ignore lint/suspicious/noExplicitAny: records of another program, compared by toMatchObject
const shown = (...args: string[]): any[] => JSON.parse(ip("-j", ...args) || "[]");
const driverOf = (pci: string): string => basename(readlinkSync(join("/sys/bus/pci/devices", pci, "driver")));

let kernel: Kernel;
let first: PhysicalFunction;
let second: PhysicalFunction;

const physicalFunctions = async (): Promise<[PhysicalFunction, PhysicalFunction]> => {
  const [one, other] = await kernel.devices.physicalFunctions();
  if (one === undefined || other === undefined) throw new Error("the guest has not two cards");
  return [one, other];
};

beforeAll(async () => {
  kernel = linux();
  [first, second] = await physicalFunctions();
});
afterAll(async () => {
  await kernel[Symbol.asyncDispose]();
});

const pciOf = (index: number): string => first.virtual[index]?.pci ?? "";

async function found(index: number): Promise<Device> {
  const device = await kernel.devices.find({ pci: pciOf(index) });
  if (device === undefined) throw new Error(`no virtual function ${index}`);
  return device;
}

/** What is wanted of one virtual function in the pod `netns`. */
async function wanted(index: number, netns: string, settings: VirtualFunctionFact["settings"]): Promise<Fact[]> {
  const { link, virtual } = await found(index);
  if (link === undefined || virtual === undefined) throw new Error(`virtual function ${index} is not on the node`);
  const link1: LinkFact = {
    type: "link",
    at: "pod",
    name: "net1",
    kind: "device",
    up: true,
    mtu: 1400,
    ...(settings.mac === undefined ? {} : { mac: settings.mac }),
    alias: `selvedge-lent ${netns} net1`,
    lent: link,
  };
  const before = Object.fromEntries(Object.entries(virtual.settings).filter(([name]) => name in settings));
  return [{ type: "vf", at: "host", link: virtual.link, vf: index, settings, before }, link1];
}

test("cards are found, and given virtual functions", async () => {
  expect(first).toMatchObject({ vendor: "1b36", product: "0010", driver: "fakesriov", maxVirtual: 8, virtual: [] });
  await kernel.devices.setVirtualFunctions(first.pci, 4);
  await kernel.devices.setVirtualFunctions(second.pci, 2);
  [first, second] = await physicalFunctions();
  expect(first.virtual.map(({ index, driver, isUsed }) => [index, driver, isUsed])).toEqual([
    [0, "fakesriov", false],
    [1, "fakesriov", false],
    [2, "fakesriov", false],
    [3, "fakesriov", false],
  ]);
  expect(second.virtual).toHaveLength(2);
  for (const { link } of [...first.virtual, ...second.virtual]) expect(existsSync(`/sys/class/net/${link}`)).toBe(true);
  for (const { link } of [first, second]) ip("link", "set", link ?? "", "up");
  expect(await found(2)).toMatchObject({
    pci: pciOf(2),
    link: { physical: true, pci: pciOf(2) },
    virtual: { link: first.link, index: 2, settings: { vlan: 0, qos: 0, spoofCheck: true, trust: false } },
  });
});

test("a virtual function with everything set goes to a pod, is what ip says, and comes back as it was", async () => {
  ip("netns", "add", "p0");
  const settings = {
    mac: mac("02:00:00:00:00:a0"),
    vlan: 100,
    qos: 5,
    vlanProtocol: "802.1Q",
    spoofCheck: false,
    trust: true,
    minTxRate: 10,
    maxTxRate: 200,
    linkState: "enable",
  } as const;
  const untouched = await found(0);
  const facts = await wanted(0, "p0", settings);
  const scope = { netns: "/run/netns/p0" };
  for (const _again of [1, 2]) await kernel.apply(scope, add(facts));
  expect(diff(facts, await kernel.look(scope, facts)).map(line)).toEqual([]);
  expect(shown("-d", "link", "show", first.link ?? "")[0].vfinfo_list[0]).toMatchObject({
    address: "02:00:00:00:00:a0",
    vlan_list: [{ vlan: 100, qos: 5 }],
    rate: { min_tx: 10, max_tx: 200 },
    spoofchk: false,
    link_state: "enable",
    trust: true,
  });
  expect(shown("-n", "p0", "link", "show", "net1")[0]).toMatchObject({ address: "02:00:00:00:00:a0", mtu: 1400 });
  expect((await physicalFunctions())[0].virtual[0]).not.toHaveProperty("link");
  expect(await kernel.devices.whereIs({ pci: pciOf(0) })).toBe("/run/netns/p0");

  ip("link", "set", first.link ?? "", "vf", "0", "vlan", "7", "spoofchk", "on");
  const ops = diff(facts, await kernel.look(scope, facts));
  expect(ops.map(line)).toHaveLength(1);
  await kernel.apply(scope, ops);
  expect(diff(facts, await kernel.look(scope, facts)).map(line)).toEqual([]);

  for (const _again of [1, 2]) await kernel.apply(scope, undo(facts));
  expect(await found(0)).toEqual(untouched);
  ip("netns", "del", "p0");
});

test("VLANs of virtual functions are kept apart", async () => {
  const pods = ["v1", "v2"];
  for (const name of pods) ip("netns", "add", name);
  const facts = [
    await wanted(1, "v1", { mac: mac("02:00:00:00:00:a1"), vlan: 100 }),
    await wanted(2, "v2", { mac: mac("02:00:00:00:00:a2"), vlan: 100 }),
  ];
  for (const [i, name] of pods.entries()) {
    await kernel.apply({ netns: `/run/netns/${name}` }, add(facts[i] ?? []));
    ip("-n", name, "addr", "add", `10.9.0.${i + 1}/24`, "dev", "net1");
  }
  const reaches = (): boolean => {
    try {
      execFileSync("ip", ["netns", "exec", "v1", "busybox", "ping", "-c", "1", "-W", "2", "10.9.0.2"], {
        stdio: "pipe",
      });
      return true;
    } catch {
      return false;
    }
  };
  expect(reaches()).toBe(true);
  const other = (facts[1] ?? []).map((fact) =>
    fact.type === "vf" ? { ...fact, settings: { ...fact.settings, vlan: 101 } } : fact,
  );
  const scope = { netns: "/run/netns/v2" };
  await kernel.apply(scope, diff(other, await kernel.look(scope, other)));
  expect(reaches()).toBe(false);
  for (const [i, name] of pods.entries()) {
    await kernel.apply({ netns: `/run/netns/${name}` }, undo(facts[i] ?? []));
    ip("netns", "del", name);
  }
});

test("the pod's namespace vanishes: the device is waited for, found under whatever name, and restored", async () => {
  ip("netns", "add", "gone");
  const untouched = await found(3);
  const facts = await wanted(3, "gone", { mac: mac("02:00:00:00:00:a3"), vlan: 30 });
  const scope = { netns: "/run/netns/gone" };
  await kernel.apply(scope, add(facts));
  // The pod's name for it is taken on the node: it comes home as dev%d.
  ip("link", "add", "net1", "type", "dummy");
  ip("netns", "del", "gone");
  await kernel.apply(scope, undo(facts));
  expect(await found(3)).toEqual(untouched);
  ip("link", "del", "net1");
});

test("a late DEL leaves a function alone that another pod has by now", async () => {
  for (const name of ["old", "new"]) ip("netns", "add", name);
  const facts = await wanted(3, "old", { mac: mac("02:00:00:00:00:a3") });
  await kernel.apply({ netns: "/run/netns/old" }, add(facts));
  ip("netns", "del", "old");
  for (let tries = 0; (await found(3)).link === undefined && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const next = await wanted(3, "new", {});
  await kernel.apply({ netns: "/run/netns/new" }, add(next));
  await kernel.apply({ netns: "/run/netns/old" }, undo(facts.filter(({ type }) => type === "link")));
  expect(diff(next, await kernel.look({ netns: "/run/netns/new" }, next)).map(line)).toEqual([]);
  await kernel.apply({ netns: "/run/netns/new" }, undo(next));
  ip("netns", "del", "new");
});

test("the number of functions does not change under a pod", async () => {
  ip("netns", "add", "busy");
  const facts = await wanted(1, "busy", {});
  await kernel.apply({ netns: "/run/netns/busy" }, add(facts));
  await expect(kernel.devices.setVirtualFunctions(first.pci, 2)).rejects.toThrow(
    `${pciOf(1)} is in use: there cannot be 2`,
  );
  await kernel.apply({ netns: "/run/netns/busy" }, undo(facts));
  ip("netns", "del", "busy");
});

test("a setting that the driver refuses is named", async () => {
  const [fact] = await wanted(0, "x", { minTxRate: 300, maxTxRate: 200 });
  await expect(kernel.apply({}, add(fact === undefined ? [] : [fact]))).rejects.toThrow(
    `link set ${first.link} vf 0 min_tx_rate 300 max_tx_rate 200: EINVAL`,
  );
});

test("vfio-pci takes a function, in a group of its own, and the kernel's driver gets it back", async () => {
  execFileSync("modprobe", ["vfio-pci"]);
  const pci = pciOf(2);
  const fact: DriverFact = { type: "driver", at: "host", pci, driver: "vfio-pci", before: "" };
  for (const _again of [1, 2]) await kernel.apply({}, add([fact]));
  expect(diff([fact], await kernel.look({}, [fact]))).toEqual([]);
  expect(driverOf(pci)).toBe("vfio-pci");
  const device = await found(2);
  expect(device).not.toHaveProperty("link");
  expect(device).toMatchObject({ driver: "vfio-pci", virtual: { index: 2 } });
  expect(device.nodes).toEqual(["/dev/vfio/vfio", expect.stringMatching(/^\/dev\/vfio\/\d+$/)]);
  for (const node of device.nodes) expect(existsSync(node)).toBe(true);
  await kernel.apply({}, undo([fact]));
  expect(driverOf(pci)).toBe("fakesriov");
  expect(readFileSync(join("/sys/bus/pci/devices", pci, "driver_override"), "utf8").trim()).toBe("(null)");
});
