/** Devices of the host lent to a pod and given back, as `ip` sees it. Hardware that comes home by itself: test/vm. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { needing } from "../support/requirement.ts";
import { add, undo } from "./ops.ts";

const test = needing("root", { program: "ip" });
const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });
/** A link as `ip` tells of it; undefined when it is not there. */
function shown(name: string, netns?: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(ip(...(netns === undefined ? [] : ["-n", netns]), "-j", "link", "show", name))[0];
  } catch {
    return undefined;
  }
}

const POD = "lent";
const netns = `/run/netns/${POD}`;
const HOST_MAC = mac("02:00:00:00:00:aa");
const POD_MAC = mac("02:00:00:00:00:bb");

const device: LinkFact = {
  type: "link",
  at: "pod",
  name: "net1",
  kind: "device",
  up: true,
  mtu: 1400,
  mac: POD_MAC,
  alias: "selvedge-lent c1 net1",
  lent: { name: "wire0", mac: HOST_MAC, mtu: 1500, up: true, alias: "uplink of the lab" },
};
const facts: Fact[] = [
  device,
  { type: "address", at: "pod", link: "net1", address: prefix("192.0.2.5/24") },
  { type: "route", at: "pod", to: prefix("198.51.100.0/24"), link: "net1", via: address("192.0.2.1") },
];

let kernel: Kernel;

beforeEach(() => {
  ip("netns", "add", POD);
  ip("link", "add", "wire0", "address", HOST_MAC, "type", "veth", "peer", "name", "wire1");
  ip("link", "set", "wire1", "up");
  ip("link", "set", "wire0", "up", "alias", "uplink of the lab");
  kernel = linux();
});

afterEach(async () => {
  await kernel[Symbol.asyncDispose]();
  for (const args of [
    ["netns", "del", POD],
    ["link", "del", "wire1"],
  ]) {
    try {
      ip(...args);
    } catch {
      // A test took it away.
    }
  }
});

const differences = async (): Promise<string[]> => diff(facts, await kernel.look({ netns }, facts)).map(line);
const ASITWAS = { address: HOST_MAC, mtu: 1500, ifalias: "uplink of the lab", flags: expect.arrayContaining(["UP"]) };

test("a device goes to the pod under its name there, and comes back as it was; both also a second time", async () => {
  for (const _again of [1, 2]) await kernel.apply({ netns }, add(facts));
  expect(shown("wire0")).toBeUndefined();
  expect(shown("net1", POD)).toMatchObject({ address: POD_MAC, mtu: 1400, ifalias: "selvedge-lent c1 net1" });
  expect(await differences()).toEqual([]);

  for (const _again of [1, 2]) await kernel.apply({ netns }, undo([device]));
  expect(shown("net1", POD)).toBeUndefined();
  expect(shown("wire0")).toMatchObject(ASITWAS);
});

test("what somebody changes in the pod is seen and repaired", async () => {
  await kernel.apply({ netns }, add(facts));
  ip("-n", POD, "link", "set", "net1", "down", "mtu", "1300", "address", "02:00:00:00:00:cc");
  const ops = diff(facts, await kernel.look({ netns }, facts));
  expect(ops.map(line)[0]).toBe("~ link net1 [pod] device up from wire0 mtu 1400 mac 02:00:00:00:00:bb");
  await kernel.apply({ netns }, ops);
  expect(await differences()).toEqual([]);
});

const halfDone: [name: string, meddle: () => void][] = [
  ["marked, but not moved", () => ip("link", "set", "wire0", "down", "alias", "selvedge-lent c1 net1")],
  [
    "moved, but not renamed",
    () => {
      ip("link", "set", "wire0", "down", "alias", "selvedge-lent c1 net1");
      ip("link", "set", "wire0", "netns", POD);
    },
  ],
  [
    "back under another name, still marked",
    () => {
      ip("link", "set", "wire0", "down", "alias", "selvedge-lent c1 net1", "address", POD_MAC, "mtu", "1400");
      ip("link", "set", "wire0", "name", "dev7");
    },
  ],
];
test.each(halfDone)("%s: the same ADD goes on", async (_name, meddle) => {
  meddle();
  await kernel.apply({ netns }, add(facts));
  expect(await differences()).toEqual([]);
});
test.each(halfDone)("%s: DEL gives it back", async (_name, meddle) => {
  meddle();
  await kernel.apply({ netns }, undo(facts));
  expect(shown("wire0")).toMatchObject(ASITWAS);
});

test("a device that is lent to another pod by now is left alone", async () => {
  await kernel.apply({ netns }, add(facts));
  ip("-n", POD, "link", "set", "net1", "alias", "selvedge-lent c2 net1");
  await kernel.apply({ netns }, undo([device]));
  expect(shown("net1", POD)).toMatchObject({ ifalias: "selvedge-lent c2 net1", mtu: 1400 });
});

test("a device that somebody moved to a third namespace is fetched from there", async () => {
  ip("netns", "add", "third");
  try {
    await kernel.apply({ netns }, add(facts));
    ip("-n", POD, "link", "set", "net1", "netns", "third");
    await kernel.apply({ netns }, undo([device]));
    expect(shown("wire0")).toMatchObject(ASITWAS);
  } finally {
    ip("netns", "del", "third");
  }
});

test("a virtual device dies with the pod's namespace, and then nothing is left to give back", async () => {
  await kernel.apply({ netns }, add(facts));
  ip("netns", "del", POD);
  await kernel.apply({ netns }, undo([device]));
  expect(shown("wire0")).toBeUndefined();
});

test("no owner of ours deletes it: it is no fact of the host, marked or not", async () => {
  ip("link", "set", "wire0", "alias", "selvedge-lent c1 net1");
  expect((await kernel.owned()).filter((fact) => fact.type === "link")).toEqual([]);
});

test("a name that the pod has already refuses before anything moves", async () => {
  ip("-n", POD, "link", "add", "net1", "type", "veth", "peer", "name", "other");
  await expect(kernel.apply({ netns }, add(facts))).rejects.toThrow(
    "net1: the container has a link of this name that is not ours (veth)",
  );
  expect(shown("wire0")).toMatchObject(ASITWAS);
});

test("a device that is gone is named", async () => {
  ip("link", "del", "wire0");
  await expect(kernel.apply({ netns }, add(facts))).rejects.toThrow(
    "link get wire0: ENODEV: the node has no such device any more",
  );
});
