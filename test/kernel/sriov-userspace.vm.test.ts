/** What processes drive themselves, on real PCI functions in the guest of test/vm: RDMA devices, functions that uio has. */
import { execFileSync } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import type { Device } from "#lib/state/device.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { add, undo } from "./ops.ts";

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8", stdio: "pipe" });
/** Names of the RDMA devices that a namespace sees; the node's own without one. */
const rdmaIn = (netns?: string): string[] => {
  const dump = netns === undefined ? run("rdma", "dev") : run("ip", "netns", "exec", netns, "rdma", "dev");
  return [...dump.matchAll(/^\d+: (\S+):/gm)].map(([, name = ""]) => name);
};

const POD = { netns: "/run/netns/user" };
let kernel: Kernel;
let card: string;
let before: number;
let vf: Device;

beforeAll(async () => {
  kernel = linux();
  const [, second] = await kernel.devices.physicalFunctions();
  if (second === undefined) throw new Error("the guest has not two cards");
  ({ pci: card } = second);
  before = second.virtual.length;
  await kernel.devices.setVirtualFunctions(card, 2);
  run("modprobe", "fakerdma");
  vf = await found();
});
afterAll(async () => {
  run("modprobe", "-r", "fakerdma");
  await kernel.devices.setVirtualFunctions(card, before);
  await kernel[Symbol.asyncDispose]();
});

/** The card's first virtual function. */
async function found(): Promise<Device> {
  const one = (await kernel.devices.physicalFunctions()).find(({ pci }) => pci === card);
  const device = await kernel.devices.find({ pci: one?.virtual[0]?.pci ?? "" });
  if (device === undefined) throw new Error("no virtual function");
  return device;
}

function wanted({ link, rdma }: Device): Fact[] {
  if (link === undefined) throw new Error("the virtual function is not on the node");
  const alias = "selvedge-lent user net1";
  return [
    { type: "link", at: "pod", name: "net1", kind: "device", up: true, alias, lent: link },
    ...rdma.map((name): Fact => ({ type: "rdma", at: "pod", name })),
  ];
}

const differences = async (facts: readonly Fact[]): Promise<string[]> =>
  diff(facts, await kernel.look(POD, facts)).map(line);

test("the RDMA device of a function is found", () => {
  expect(vf.rdma).toEqual([expect.stringMatching(/^fakerdma\d+$/)]);
  expect(rdmaIn()).toEqual(expect.arrayContaining([...vf.rdma]));
});

test("where every namespace sees every device, nothing moves", async () => {
  run("rdma", "system", "set", "netns", "shared");
  run("ip", "netns", "add", "user");
  const facts = wanted(vf);
  await kernel.apply(POD, add(facts));
  expect(await differences(facts)).toEqual([]);
  expect(rdmaIn()).toEqual(expect.arrayContaining([...vf.rdma]));
  await kernel.apply(POD, undo(facts));
  expect(await found()).toEqual(vf);
  run("ip", "netns", "del", "user");
});

test("where each belongs to one namespace it goes to the pod and back, and home when the pod's namespace ends", async () => {
  run("rdma", "system", "set", "netns", "exclusive");
  run("ip", "netns", "add", "user");
  const facts = wanted(vf);
  const [name = ""] = vf.rdma;
  for (const _again of [1, 2]) await kernel.apply(POD, add(facts));
  expect(rdmaIn("user")).toEqual([name]);
  expect(rdmaIn()).not.toContain(name);
  expect(await differences(facts)).toEqual([]);

  // Somebody takes it from the pod.
  run("ip", "netns", "attach", "node", String(process.pid));
  run("ip", "netns", "exec", "user", "rdma", "dev", "set", name, "netns", "node");
  run("ip", "netns", "del", "node");
  const ops = diff(facts, await kernel.look(POD, facts));
  expect(ops.map(line)).toEqual([`+ rdma ${name} [pod]`]);
  await kernel.apply(POD, ops);
  expect(await differences(facts)).toEqual([]);

  for (const _again of [1, 2]) await kernel.apply(POD, undo(facts));
  expect(await found()).toEqual(vf);

  await kernel.apply(POD, add(facts));
  run("ip", "netns", "del", "user");
  await kernel.apply(POD, undo(facts));
  expect(await found()).toEqual(vf);
});

test("one that another pod has is refused by name", async () => {
  for (const name of ["user", "other"]) run("ip", "netns", "add", name);
  const [name = ""] = vf.rdma;
  const facts: Fact[] = [{ type: "rdma", at: "pod", name }];
  await kernel.apply({ netns: "/run/netns/other" }, add(facts));
  await expect(kernel.apply(POD, add(facts))).rejects.toThrow(
    `rdma dev get ${name}: ENODEV: the node has no such RDMA device, or another pod has it`,
  );
  // The late DEL of a pod that had it before takes nothing from who has it now.
  await kernel.apply(POD, undo(facts));
  expect(rdmaIn("other")).toEqual([name]);
  await kernel.apply({ netns: "/run/netns/other" }, undo(facts));
  for (const each of ["user", "other"]) run("ip", "netns", "del", each);
});

test("a driver that cannot change the namespace is told of", async () => {
  run("modprobe", "rdma_rxe");
  run("rdma", "link", "add", "rxe0", "type", "rxe", "netdev", vf.link?.name ?? "");
  run("ip", "link", "set", vf.link?.name ?? "", "up");
  run("ip", "netns", "add", "user");
  await expect(kernel.apply(POD, add([{ type: "rdma", at: "pod", name: "rxe0" }]))).rejects.toThrow(
    /^rdma dev set rxe0 netns \d+: ENOTSUP: its driver cannot change the namespace: .*netns shared/,
  );
  run("ip", "netns", "del", "user");
  run("rdma", "link", "del", "rxe0");
});

test("uio takes a function, and names the device node that drives it; the kernel's driver gets it back", async () => {
  run("modprobe", "uio_pci_generic");
  const { pci = "" } = vf;
  const fact: Fact = { type: "driver", at: "host", pci, driver: "uio_pci_generic", before: "" };
  const driver = (): string => basename(readlinkSync(join("/sys/bus/pci/devices", pci, "driver")));
  for (const _again of [1, 2]) await kernel.apply({}, add([fact]));
  expect(await kernel.look({}, [fact])).toEqual([fact]);
  expect(driver()).toBe("uio_pci_generic");
  const device = await found();
  expect(device).not.toHaveProperty("link");
  expect(device.nodes).toEqual([expect.stringMatching(/^\/dev\/uio\d+$/)]);
  for (const node of device.nodes) expect(existsSync(node)).toBe(true);
  await kernel.apply({}, undo([fact]));
  expect(driver()).toBe("fakesriov");
  expect((await found()).nodes).toEqual([]);
});
