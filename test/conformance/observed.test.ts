/**
 * The same configuration, given to the reference plugin and to ours: what `ip` sees in the pod is the same, and so is the
 * result. Left out of the comparison: what is chosen at random (MAC addresses, indexes), who made a route, and metrics.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { BUILT, type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { makeNamespace, pathOf, removeNamespace } from "../../conformance/namespace.ts";
import { makeNode, type Node } from "../../conformance/node.ts";
import { call, programOf } from "../../conformance/plugin.ts";
import { inside, must } from "../../conformance/program.ts";
import { referenceBin } from "../../conformance/reference.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import type { KernelPiece } from "../support/kernel-piece.ts";
import { needing } from "../support/requirement.ts";

const tools = ["root", { program: "ip" }, { file: join(BUILT, "selvedge") }] as const;

let directory: string;
let node: Node;
let daemon: Daemon;
beforeAll(async () => {
  if (needing(...tools) === test.skip) return;
  directory = await mkdtemp(join(tmpdir(), "observed-"));
  node = await makeNode("observed");
  daemon = await startDaemon({ enter: (argv) => inside(node.node.namespace, argv), directory });
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await node?.[Symbol.asyncDispose]();
  if (directory) await rm(directory, { recursive: true });
});

interface Case {
  readonly name: string;
  readonly config: JsonObject & { readonly type: string };
  /** What of the kernel it takes, where not every kernel has it. */
  readonly kernel?: KernelPiece;
  /** CNI_IFNAME, where it is not eth0. */
  readonly ifname?: string;
  /** Run in the pod before the ADD. */
  readonly before?: readonly string[];
  /** A link of the node that is made for each of the two, its other end outside. */
  readonly device?: string;
}

const ipam = {
  type: "host-local",
  ranges: [[{ subnet: "10.88.0.0/24", gateway: "10.88.0.1" }], [{ subnet: "fd88::/64" }]],
  routes: [{ dst: "0.0.0.0/0" }, { dst: "fd99::/64", gw: "fd88::ffff" }],
};
const CASES: readonly Case[] = [
  { name: "macvlan", config: { type: "macvlan", master: "uplink", ipam } },
  { name: "macvlan by the default route", config: { type: "macvlan", mtu: 1400, ipam } },
  ...["private", "vepa", "passthru"].map((mode) => ({
    name: `macvlan ${mode}`,
    config: { type: "macvlan", master: "uplink", mode, ipam },
  })),
  { name: "macvlan without addresses", config: { type: "macvlan", master: "uplink", ipam: {} } },
  {
    name: "macvlan on a link of the container",
    config: { type: "macvlan", master: "dev0", linkInContainer: true, ipam },
    before: ["ip", "link", "add", "dev0", "up", "type", "veth", "peer", "name", "dev1"],
  },
  { name: "tap", config: { type: "tap", owner: 107, group: 108, multiQueue: true, mac: "02:00:00:00:00:07", ipam } },
  { name: "tap of nobody, without addresses", config: { type: "tap", mtu: 1400, ipam: {} } },
  {
    name: "tap on a bridge of the container",
    config: { type: "tap", bridge: "br0", ipam: {} },
    before: ["ip", "link", "add", "br0", "up", "type", "bridge"],
  },
  { name: "loopback", config: { type: "loopback" }, ifname: "lo" },
  ...["l2", "l3", "l3s"].map((mode) => ({
    name: `ipvlan ${mode}`,
    config: { type: "ipvlan", master: "uplink", mode, ipam },
    kernel: "ipvlan" as const,
  })),
  { name: "vlan", config: { type: "vlan", master: "uplink", vlanId: 100, ipam }, kernel: "vlan" },
  {
    name: "vlan with an MTU",
    config: { type: "vlan", master: "uplink", vlanId: 4_094, mtu: 1400, ipam },
    kernel: "vlan",
  },
  { name: "host-device", config: { type: "host-device", device: "card0", ipam }, device: "card0" },
  {
    name: "host-device without addresses",
    config: { type: "host-device", device: "card0", ipam: {} },
    device: "card0",
  },
  ...[
    { vlan: 100 },
    { vlan: 100, vlanTrunk: [{ id: 5 }, { minID: 200, maxID: 202 }] },
    { vlanTrunk: [{ id: 5 }] },
    { vlan: 100, preserveDefaultVlan: true },
  ].map((vlans) => ({
    name: `bridge ${JSON.stringify(vlans)}`,
    config: { type: "bridge", bridge: "ob-br", ...vlans, ipam },
    kernel: "bridge-vlan" as const,
  })),
];

interface Seen {
  readonly result: JsonObject;
  readonly link: JsonObject;
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  /** VLANs of the port that the pod is plugged into. */
  readonly port?: unknown;
}

type Found = Readonly<Record<string, unknown>>;

async function ip(namespace: string, ...words: string[]): Promise<Found[]> {
  return JSON.parse((await must(["ip", "-n", namespace, "-j", "-d", ...words])) || "[]") as Found[];
}

/** What one plugin makes in a pod of its own, which is gone afterwards. */
async function seen({ config, before, ifname = "eth0", device }: Case, own: boolean): Promise<Seen> {
  const pod = "observed-pod";
  await makeNamespace(pod);
  if (device !== undefined) await plug(device);
  if (ifname === "lo") await must(["ip", "-n", pod, "link", "set", "lo", "down"]);
  if (before !== undefined) await must(inside(pod, before));
  const { type, ...fields } = config;
  const ours =
    type === "loopback" ? {} : { type: "selvedge", attachment: type, hostShim: false, spoofProtection: false };
  const given = { cniVersion: "1.0.0", name: "observed", ...fields, type, ...(own ? ours : {}) };
  const path = own ? [BUILT, referenceBin()] : [referenceBin()];
  const program = own ? join(BUILT, "selvedge") : programOf(type, path);
  const environment = {
    ...daemon.environment,
    CNI_PATH: path.join(":"),
    CNI_CONTAINERID: own ? "ours" : "theirs",
    CNI_NETNS: pathOf(pod),
    CNI_IFNAME: ifname,
    // The reference makes a tap without an owner with ip(8).
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  };
  const input = JSON.stringify(
    "ipam" in given && Object.keys(given.ipam as object).length > 0
      ? { ...given, ipam: { ...(given.ipam as object), dataDir: join(directory, own ? "ours" : "theirs") } }
      : given,
  );
  const ask = (verb: string) =>
    call({ namespace: node.node.namespace, program, environment: { ...environment, CNI_COMMAND: verb }, input });
  try {
    const { exit, body, stdout } = await ask("ADD");
    if (exit !== 0 || body === undefined) throw new Error(`${program}: ${stdout}`);
    const port = type === "bridge" ? { port: await vlansOf(body) } : {};
    return { result: comparable(body), ...(await look(pod, ifname)), ...port };
  } finally {
    await ask("DEL");
    if (device !== undefined) await must(["ip", "-n", node.node.namespace, "link", "del", device]);
    if (type === "bridge") await must(["ip", "-n", node.node.namespace, "link", "del", config.bridge as string]);
    await removeNamespace(pod);
  }
}

async function plug(device: string): Promise<void> {
  const cable = ["type", "veth", "peer", "name", device, "netns", node.outside.namespace];
  await must(["ip", "-n", node.node.namespace, "link", "add", device, ...cable]);
  await must(["ip", "-n", node.outside.namespace, "link", "set", device, "up"]);
}

async function vlansOf({ interfaces }: JsonObject): Promise<unknown> {
  const host = (interfaces as Found[]).findLast(({ sandbox }) => (sandbox ?? "") === "")?.name as string;
  const shown = await must(inside(node.node.namespace, ["bridge", "-j", "vlan", "show", "dev", host]));
  return (JSON.parse(shown) as Found[])[0]?.vlans;
}

async function look(pod: string, ifname: string): Promise<Omit<Seen, "result">> {
  const [link] = await ip(pod, "addr", "show", "dev", ifname);
  if (link === undefined) throw new Error(`no ${ifname}`);
  const { linkinfo, mtu, flags, master, addr_info } = link;
  const routes = [...(await ip(pod, "route", "show")), ...(await ip(pod, "-6", "route", "show"))];
  return {
    link: {
      linkinfo: kindOf(linkinfo),
      mtu,
      up: (flags as string[]).includes("UP"),
      master: master ?? null,
    } as JsonObject,
    addresses: (addr_info as Found[])
      .filter(({ scope }) => scope !== "link")
      .map(({ local, prefixlen, scope }) => `${local}/${prefixlen} ${scope}`),
    routes: routes
      .filter(({ dst }) => !String(dst).startsWith("fe80:") && !String(dst).startsWith("ff00:"))
      .map(({ dst, gateway, dev }) => `${dst} via ${gateway ?? "-"} dev ${dev}`)
      .sort(),
  };
}

/**
 * A tap's IFF_VNET_HDR is set by whoever opens it, and the reference sets it only where it does not leave the work to
 * ip(8); what a bridge says of its port holds identifiers.
 */
function kindOf(linkinfo: unknown): JsonObject {
  const { info_data, info_slave_data: _, ...kind } = (linkinfo ?? {}) as Found;
  const { vnet_hdr: __, ...data } = (info_data ?? {}) as Found;
  return { ...kind, data } as unknown as JsonObject;
}

/**
 * MAC addresses are the link's own business; that there is one is everybody's. A gateway that a route has from the pool
 * is told by ours only; `ip` sees both.
 */
function comparable({ interfaces, routes, ...result }: JsonObject): JsonObject {
  const named = (interfaces as Found[]).map(({ name, mac, sandbox = "" }) => ({
    name: sandbox === "" && name !== "ob-br" ? "the host's end" : name,
    mac: mac !== undefined,
    sandbox,
  }));
  const led = ((routes ?? []) as Found[]).map(({ dst }) => dst);
  return { ...result, interfaces: named, routes: led } as unknown as JsonObject;
}

/** The guest of test/vm, which is slow, runs what a machine may lack; the machine has run the others. */
const inGuest = process.env.SELVEDGE_VM !== undefined;
const PLAYED = CASES.filter(({ kernel }) => !inGuest || kernel !== undefined);
for (const one of PLAYED) {
  const file = { file: join(referenceBin(), one.config.type) };
  const runner = needing(...tools, file, ...(one.kernel === undefined ? [] : [{ kernel: one.kernel }]));
  runner(one.name, async () => {
    const theirs = await seen(one, false);
    const ours = await seen(one, true);
    expect(ours).toEqual(theirs);
    expect(theirs.link.up).toBe(true);
  });
}
test("the table has cases", () => expect(PLAYED.length).toBe(inGuest ? 9 : 22));
