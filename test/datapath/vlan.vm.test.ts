/** Ports of a bridge with VLANs on a kernel that has them, by real frames: who hears whom, and what spoof protection makes of tags. */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Mac, mac, prefix } from "#lib/address.ts";
import { assemble } from "#lib/attach/assemble.ts";
import { plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias } from "#lib/attach/names.ts";
import { tables } from "#lib/datapath/tables.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import { root } from "#lib/parse.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { needing } from "../support/requirement.ts";

const PYTHON = "/usr/bin/python3";
const rooted = needing("root", { program: "ip" }, { program: "bridge" }, { file: PYTHON });

const MACS = { trunk: mac("02:00:00:00:00:01"), ten: mac("02:00:00:00:00:02"), hundred: mac("02:00:00:00:00:03") };
type Pod = keyof typeof MACS;
const PODS = {
  trunk: { vlan: 10, vlanTrunk: [{ id: 100 }] },
  ten: { vlan: 10 },
  hundred: { vlan: 100 },
} as const satisfies Record<Pod, object>;
const scope = (pod: Pod) => ({ netns: `/run/netns/vlan-${pod}` });
const address = (pod: Pod) => `10.8.0.${Object.keys(PODS).indexOf(pod) + 2}`;

let kernel: Kernel;
const made = new Map<Pod, readonly Fact[]>();
beforeAll(async () => {
  if (rooted === test.skip) return;
  kernel = linux();
  await kernel.apply({}, diff(tables({ noMasquerade: [prefix("10.8.0.0/16")] }), []));
  for (const [pod, config] of Object.entries(PODS) as [Pod, object][]) {
    execFileSync("ip", ["netns", "add", `vlan-${pod}`]);
    const key = { containerId: pod, ifname: "eth0" };
    const attached = {
      ...key,
      hostLink: hostLinkName(key),
      alias: linkAlias(key),
      mac: MACS[pod],
      addresses: [{ address: prefix(`${address(pod)}/24`) }],
      mtu: 1_500,
    };
    const wishes = { masquerade: false, spoofProtection: true, portMappings: [] };
    const planned = plan("bridge", root({ bridge: "vlan-br", isGateway: pod === "ten", ...config }));
    const built = assemble(planned, attached, wishes);
    const facts = [...built.shared, ...built.facts];
    made.set(pod, facts);
    await kernel.apply(scope(pod), diff(facts, await kernel.look(scope(pod), facts)));
  }
});
afterAll(async () => {
  if (rooted === test.skip) return;
  for (const [pod, facts] of made)
    await kernel.apply(
      scope(pod),
      facts.map((fact) => ({ do: "remove", fact })),
    );
  await kernel.settled();
  await kernel[Symbol.asyncDispose]();
  for (const pod of Object.keys(PODS)) execFileSync("ip", ["netns", "del", `vlan-${pod}`]);
});

rooted.each(Object.keys(PODS) as Pod[])("%s: nothing is left to do", async (pod) => {
  const facts = made.get(pod) ?? [];
  expect(facts.length).toBeGreaterThan(5);
  expect(diff(facts, await kernel.look(scope(pod), facts))).toEqual([]);
});

rooted("ports are on their VLANs and on no other, as bridge(8) sees them", () => {
  const seen = JSON.parse(execFileSync("bridge", ["-j", "vlan", "show"]).toString()) as {
    ifname: string;
    vlans: { vlan: number; flags?: string[] }[];
  }[];
  const of = (name: string) => seen.find(({ ifname }) => ifname === name)?.vlans;
  const access = ["PVID", "Egress Untagged"];
  const port = (pod: Pod) => hostLinkName({ containerId: pod, ifname: "eth0" });
  expect(of(port("ten"))).toEqual([{ vlan: 10, flags: access }]);
  expect(of(port("hundred"))).toEqual([{ vlan: 100, flags: access }]);
  expect(of(port("trunk"))).toEqual([{ vlan: 10, flags: access }, { vlan: 100 }]);
});

/** Sends an Ethernet frame with an ARP request from a pod; `tags` are VLAN ids, outermost first. */
function shout(from: Pod, { tags = [], as = MACS[from], sender = address(from) }: Shout, marker: string): void {
  const script = `
import socket, struct
tags = bytes().join(struct.pack("!HH", 0x8100, t) for t in ${JSON.stringify(tags)})
mac = bytes.fromhex("${as.replaceAll(":", "")}")
arp = struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + mac + socket.inet_aton("${sender}") + bytes(6) + socket.inet_aton("${marker}")
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
s.send(b"\\xff" * 6 + mac + tags + struct.pack("!H", 0x806) + arp)
`;
  execFileSync("ip", ["netns", "exec", `vlan-${from}`, PYTHON, "-c", script]);
}
interface Shout {
  readonly tags?: readonly number[];
  readonly as?: Mac;
  readonly sender?: string;
}

/** Which of the others heard each shout: one listener in each pod, and all shouts one after the other. */
async function heardBy(shouts: readonly [from: Pod, shout: Shout][]): Promise<string[][]> {
  const { spawn } = await import("node:child_process");
  const { once } = await import("node:events");
  const listener = `
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.bind(("eth0", 0))
print("listening", flush=True)
while True:
    frame, (_, _, kind, _, _) = s.recvfrom(2048)
    at = frame.find(bytes([203, 0, 113]))
    if kind != socket.PACKET_OUTGOING and at >= 0: print(frame[at + 3], flush=True)
`;
  const pods = Object.keys(PODS) as Pod[];
  const listeners = pods.map((pod) =>
    spawn("ip", ["netns", "exec", `vlan-${pod}`, PYTHON, "-c", listener], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  const texts = pods.map(() => "");
  listeners.forEach(({ stdout }, i) => {
    stdout.setEncoding("utf8").on("data", (text: string) => {
      texts[i] += text;
    });
  });
  await Promise.all(listeners.map(({ stdout }) => once(stdout, "data")));
  shouts.forEach(([from, shouted], i) => {
    shout(from, shouted, `203.0.113.${i + 1}`);
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const each of listeners) {
    each.kill();
    await once(each, "exit");
  }
  return shouts.map((_, i) => pods.filter((_pod, p) => texts[p]?.split("\n").includes(String(i + 1))));
}

const CASES: [what: string, from: Pod, shout: Shout, hearers: Pod[]][] = [
  ["an access port is heard in its VLAN only", "ten", {}, ["trunk"]],
  ["a trunk without a tag speaks in its native VLAN", "trunk", {}, ["ten"]],
  ["a trunk with a tag speaks in that VLAN", "trunk", { tags: [100] }, ["hundred"]],
  ["the other way it comes with its tag", "hundred", {}, ["trunk"]],
  ["a VLAN that the trunk is not on", "trunk", { tags: [200] }, []],
  ["another's address without a tag", "trunk", { sender: "10.8.0.3" }, []],
  ["another's address with the tag of the native VLAN", "trunk", { tags: [10], sender: "10.8.0.3" }, []],
  ["another's address with the tag of VLAN 0", "trunk", { tags: [0], sender: "10.8.0.3" }, []],
  ["another's MAC with a tag", "trunk", { tags: [100], as: MACS.ten }, []],
  ["a tag on an access port", "ten", { tags: [100] }, []],
  ["its own tag on an access port", "ten", { tags: [10], sender: "10.8.0.9" }, []],
  ["a tag within a tag", "ten", { tags: [10, 100] }, []],
];
rooted("who hears what", async () => {
  const heard = await heardBy(CASES.map(([, from, shouted]) => [from, shouted]));
  expect(CASES.map(([what], i) => [what, heard[i]])).toEqual(CASES.map(([what, , , hearers]) => [what, hearers]));
});
test("the table has cases", () => expect(CASES.length).toBeGreaterThan(10));
