/**
 * A card that is a switch: functions whose ends on the node are ports of a bridge, through the real plugin and daemon, in
 * the first namespace of the guest.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { type Ran, run } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { invocation, PLUGIN, type Verb } from "../support/invocation.ts";

const ip = (...args: string[]): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" });
// biome-ignore lint/suspicious/noExplicitAny: records of another program, compared by toMatchObject
const shown = (...args: string[]): any[] => JSON.parse(ip("-j", "-d", ...args) || "[]");

/** Where QEMU puts the second card. */
const CARD = "0000:02:00.0";
const COUNT = 2;
const SWITCHDEV = "/sys/module/fakesriov/parameters/switchdev";
const FUNCTIONS = join("/sys/bus/pci/devices", CARD, "sriov_numvfs");

let directory: string;
let daemon: Daemon;
beforeAll(async () => {
  writeFileSync(FUNCTIONS, "0");
  writeFileSync(SWITCHDEV, "Y");
  directory = mkdtempSync(join(tmpdir(), "representor-"));
  const representor = { bridge: "switch0" };
  daemon = await startDaemon({
    enter: (argv) => [...argv],
    directory,
    config: {
      ipam: { coolDownSeconds: 0 },
      pools: [{ name: "fast", ranges: [[{ subnet: "10.8.0.0/24" }]] }],
      defaultPool: "fast",
      sriov: { pools: [{ name: "cards", physical: [CARD], virtualFunctions: COUNT }] },
      networks: [
        {
          name: "switched",
          attachment: "sriov",
          mtu: 1400,
          spoofProtection: true,
          qos: { egressRate: 40_000_000 },
          options: { devicePool: "cards", representor },
        },
        {
          name: "apart",
          attachment: "sriov",
          options: { devicePool: "cards", representor: { ...representor, vlan: 7 } },
        },
      ],
    },
  });
}, 300_000);
afterAll(async () => {
  await daemon?.kill();
  writeFileSync(FUNCTIONS, "0");
  writeFileSync(SWITCHDEV, "N");
  rmSync(directory, { recursive: true });
});

function ask(verb: Verb, id: string, config: object = { network: "switched" }, variables = {}): Promise<Ran> {
  const asked = { config: config as JsonObject, variables: { CNI_IFNAME: "net1", ...variables } };
  return run([PLUGIN], invocation(daemon, verb, id, asked));
}

interface Result {
  readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly pciID?: string }[];
  readonly ips: readonly { readonly address: string }[];
}

async function added(id: string, config?: object): Promise<Result> {
  ip("netns", "add", id);
  const reply = await ask("ADD", id, config);
  expect([reply.exit, reply.stdout]).toEqual([0, expect.stringContaining("cniVersion")]);
  return JSON.parse(reply.stdout);
}

const addressOf = ({ ips }: Result): string => ips[0]?.address.split("/")[0] ?? "";
const reaches = (id: string, to: string, ...options: string[]): boolean =>
  spawnSync("ip", ["netns", "exec", id, "busybox", "ping", "-c", "2", "-W", "3", ...options, to]).status === 0;

const tc = (...args: string[]): string => execFileSync("tc", args, { encoding: "utf8", stdio: "pipe" });

/** Names and properties of the card's links on the node, and what filters their packets. */
const ports = () =>
  readdirSync(join("/sys/bus/pci/devices", CARD, "net"))
    .toSorted()
    .map((name) => {
      const { ifname, mtu, ifalias, master, operstate, address } = shown("link", "show", name)[0];
      return {
        ifname,
        mtu,
        ifalias,
        master,
        operstate,
        address,
        filters: tc("filter", "show", "dev", name, "ingress"),
      };
    });

test("the end of a function is a port of the bridge, filtered and shaped as that of a pair, and as it was afterwards", async () => {
  const untouched = ports();
  expect(untouched).toHaveLength(1 + COUNT);
  const results = [await added("a"), await added("b")];
  const [first, second] = results;
  if (first === undefined || second === undefined) throw new Error("no results");
  const [bridge, port, pod] = first.interfaces;
  expect([bridge?.name, port?.name, pod?.name, pod?.pciID]).toEqual([
    "switch0",
    expect.stringMatching(/^sv[0-9a-f]{11}$/),
    "net1",
    "0000:02:00.1",
  ]);
  expect(shown("link", "show", port?.name ?? "")[0]).toMatchObject({
    ifalias: "selvedge-lent representor a net1",
    master: "switch0",
    mtu: 1400,
    phys_port_name: "pf0vf0",
    address: port?.mac,
  });
  expect(reaches("a", addressOf(second))).toBe(true);
  expect(await ask("CHECK", "a", { network: "switched", prevResult: first })).toMatchObject({ exit: 0 });
  // An address that is not the pod's does not pass the bridge.
  ip("-n", "a", "addr", "add", "10.8.0.99/24", "dev", "net1");
  expect(reaches("a", addressOf(second), "-I", "10.8.0.99")).toBe(false);
  expect(reaches("a", addressOf(second))).toBe(true);
  expect(tc("filter", "show", "dev", port?.name ?? "", "ingress")).toContain("Redirect to device sb");

  for (const id of ["a", "b"]) {
    for (const _again of [1, 2]) expect(await ask("DEL", id)).toMatchObject({ exit: 0 });
    ip("netns", "del", id);
  }
  expect(ports()).toEqual(untouched);
}, 600_000);

test("it is given back when the pod's namespace vanished, and after the daemon was killed", async () => {
  const untouched = ports();
  await added("c");
  await daemon.kill();
  ip("netns", "del", "c");
  await daemon.start();
  expect(await ask("DEL", "c", undefined, { CNI_NETNS: "" })).toMatchObject({ exit: 0 });
  expect(ports()).toEqual(untouched);
}, 600_000);

test("a port in a VLAN of its own, and repair of what others do to it", async () => {
  const untouched = ports();
  const result = await added("d", { network: "apart" });
  const port = result.interfaces[1]?.name ?? "";
  const vlans = () => JSON.parse(execFileSync("bridge", ["-j", "vlan", "show", "dev", port], { encoding: "utf8" }));
  expect(vlans()).toMatchObject([{ vlans: [{ vlan: 7, flags: ["PVID", "Egress Untagged"] }] }]);
  ip("link", "set", port, "down", "nomaster");
  let back = false;
  for (let tries = 0; !back && tries < 300; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { master, flags } = shown("link", "show", port)[0];
    back = master === "switch0" && flags.includes("UP");
  }
  expect(back).toBe(true);
  expect(vlans()).toMatchObject([{ vlans: [{ vlan: 7 }] }]);
  expect(await ask("DEL", "d", { network: "apart" })).toMatchObject({ exit: 0 });
  ip("netns", "del", "d");
  expect(ports()).toEqual(untouched);
}, 600_000);
