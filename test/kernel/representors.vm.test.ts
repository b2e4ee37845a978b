/** Representors as netdevsim's switch shows them, in the guest of test/vm: found, made ports of a bridge, given back. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { devicesIn } from "#lib/kernel/linux/lent.ts";
import { hostPlace } from "#lib/kernel/linux/place.ts";
import { isRepresentor, representorOf } from "#lib/kernel/linux/representors.ts";
import { linux } from "#lib/kernel/linux.ts";
import type { SeenDevice } from "#lib/kernel/rtnl/device.ts";
import { diff, type Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8", stdio: "pipe" });
// biome-ignore lint/suspicious/noExplicitAny: records of another program, compared by toMatchObject
const shown = (name: string): any => {
  // The queue that the kernel gives a link when it first goes up stays.
  const { qdisc: _, ...link } = JSON.parse(run("ip", "-j", "-d", "link", "show", name))[0];
  return link;
};
const setMode = (mode: "legacy" | "switchdev") =>
  run("devlink", "dev", "eswitch", "set", "netdevsim/netdevsim7", "mode", mode);

let kernel: Kernel;
beforeAll(() => {
  run("modprobe", "netdevsim");
  run("modprobe", "bridge");
  writeFileSync("/sys/bus/netdevsim/new_device", "7 1");
  writeFileSync("/sys/bus/netdevsim/devices/netdevsim7/sriov_numvfs", "2");
  setMode("switchdev");
  kernel = linux();
});
afterAll(async () => {
  await kernel[Symbol.asyncDispose]();
  writeFileSync("/sys/bus/netdevsim/del_device", "7");
});

function devices(): SeenDevice[] {
  using host = hostPlace(() => false);
  return devicesIn(host);
}

/** The link of the simulated card. */
function card(): SeenDevice {
  const found = devices().find(({ portName }) => portName === "p1");
  if (found === undefined) throw new Error("netdevsim made no port p1");
  return found;
}

test("each function's representor is told by the switch and its port's name", () => {
  const all = devices();
  expect(
    all
      .filter(isRepresentor)
      .map(({ portName }) => portName)
      .sort(),
  ).toEqual(["pf0vf0", "pf0vf1"]);
  expect([0, 1, 2].map((vf) => representorOf(all, card(), vf)?.portName)).toEqual(["pf0vf0", "pf0vf1", undefined]);
  const stranger = { ...card(), switchId: "00" };
  expect(representorOf(all, stranger, 0)).toBeUndefined();
});

test("it becomes a port of a bridge under a name of ours, and what it was", async () => {
  const found = representorOf(devices(), card(), 1);
  if (found === undefined) throw new Error("no representor");
  const { name, mtu, up } = found;
  const untouched = shown(name);
  const alias = "selvedge-lent representor c net1";
  const bridge: LinkFact = {
    type: "link",
    at: "host",
    name: "sw0",
    kind: "bridge",
    up: true,
    alias: "selvedge bridge sw0",
    vlanFiltering: true,
  };
  const port: LinkFact = {
    type: "link",
    at: "host",
    name: "sv00000000001",
    kind: "device",
    up: true,
    mtu: 1400,
    alias,
    master: "sw0",
    lent: { name, mtu, up },
  };
  const vlan: Fact = { type: "port-vlan", at: "host", link: port.name, vid: 7, pvid: true, untagged: true };
  const facts: Fact[] = [bridge, port, vlan];
  for (const _again of [1, 2])
    await kernel.apply(
      {},
      facts.map((fact): Op => ({ do: "add", fact })),
    );
  expect(diff(facts, await kernel.look({}, facts)).map(line)).toEqual([]);
  expect(shown(port.name)).toMatchObject({ master: "sw0", ifalias: alias, mtu: 1400, phys_port_name: "pf0vf1" });

  run("ip", "link", "set", port.name, "nomaster", "mtu", "1300");
  const ops = diff(facts, await kernel.look({}, facts));
  expect(ops.map(line)).toEqual([
    `~ link sv00000000001 device up from ${name} mtu 1400 master sw0`,
    "+ vlan 7 dev sv00000000001 pvid untagged",
  ]);
  await kernel.apply({}, ops);
  expect(diff(facts, await kernel.look({}, facts)).map(line)).toEqual([]);

  for (const _again of [1, 2])
    await kernel.apply(
      {},
      facts.toReversed().map((fact): Op => ({ do: "remove", fact })),
    );
  await kernel.settled();
  expect(shown(name)).toEqual(untouched);
});

test("a name that is taken is refused, and so is one that is gone", async () => {
  const found = representorOf(devices(), card(), 0);
  if (found === undefined) throw new Error("no representor");
  const { name, mtu, up } = found;
  const port: LinkFact = {
    type: "link",
    at: "host",
    name: "lo",
    kind: "device",
    up: true,
    alias: "selvedge-lent representor d net1",
    lent: { name, mtu, up },
  };
  await expect(kernel.apply({}, [{ do: "add", fact: port }])).rejects.toThrow(
    "lo: the node has a link of this name that is not ours",
  );
  const gone: LinkFact = { ...port, name: "sv00000000002", lent: { name: "gone0", mtu, up } };
  await expect(kernel.apply({}, [{ do: "add", fact: gone }])).rejects.toThrow(
    "link get gone0: ENODEV: the node has no such link any more",
  );
  // The late removal of what is not there.
  await kernel.apply({}, [{ do: "remove", fact: gone }]);
});

test("a card in legacy mode has none", () => {
  setMode("legacy");
  expect(representorOf(devices(), card(), 0)).toBeUndefined();
  expect(devices().filter(isRepresentor)).toEqual([]);
});
