/** What goes out on the wire and what is heard there: announcements of addresses, and probes for duplicates. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import type { Fact } from "#lib/state/fact.ts";
import { needing } from "../support/requirement.ts";

const PYTHON = "/usr/bin/python3";
const rooted = needing("root", { program: "ip" }, { file: PYTHON });
const sh = (line: string) => execFileSync("sh", ["-ec", line]);
const pod = { netns: "/run/netns/wire-pod" };
const THEIRS = "06:00:00:00:00:99";

let kernel: Kernel;
beforeAll(() => {
  if (rooted === test.skip) return;
  sh(`ip netns add wire-pod; ip netns add wire-other
    ip link add wire-br type bridge mcast_snooping 0; ip link set wire-br up
    ip -n wire-pod link add eth0 address 02:00:00:00:00:05 type veth peer name wire-a netns $$
    ip -n wire-other link add eth0 address ${THEIRS} type veth peer name wire-b netns $$
    ip link set wire-a master wire-br up; ip link set wire-b master wire-br up
    ip -n wire-pod link set eth0 up; ip -n wire-other link set eth0 up
    ip -n wire-other addr add 10.9.0.7/24 dev eth0; ip -n wire-other addr add fd09::7/64 nodad dev eth0`);
  kernel = linux();
});
afterAll(async () => {
  await kernel?.[Symbol.asyncDispose]();
  if (rooted !== test.skip) sh("ip link del wire-br; ip netns del wire-pod; ip netns del wire-other");
});

/** Frames that reach the other namespace and hold the bytes, in hexadecimal; resolves with the first. */
async function heard(needle: string, act: () => Promise<unknown>): Promise<string> {
  const script = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.bind(("eth0", 0)); s.settimeout(5)
print("listening", flush=True)
while True:
    frame = s.recv(2048).hex()
    if "${needle}" in frame: print(frame); sys.exit()
`;
  const listener = spawn("ip", ["netns", "exec", "wire-other", PYTHON, "-c", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  listener.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  await once(listener.stdout, "data");
  const ended = once(listener, "close");
  await act();
  await ended;
  return out.replace("listening\n", "").trim();
}

const announced: [text: string, frame: string][] = [
  ["10.9.0.5/24", "ffffffffffff020000000005080600010800060400010200000000050a0900050000000000000a090005"],
  [
    "fd09::5/64",
    `33330000000102000000000586dd6000000000203afffd090000000000000000000000000005ff0200000000000000000000000000018800`,
  ],
];
rooted.each(announced)("%s is announced when it comes to the link", async (text, frame) => {
  const fact: Fact = { type: "address", at: "pod", link: "eth0", address: prefix(text), announce: true };
  const got = await heard(frame, () => kernel.apply(pod, [{ do: "add", fact }]));
  expect(got.startsWith(frame)).toBe(true);
});
test("the table has cases", () => expect(announced.length).toBe(2));

const pace = { probes: 3, intervalMs: 100 };
rooted("whoever holds an address answers with its MAC, and the first answer ends the wait", async () => {
  const patient = { probes: 3, intervalMs: 2_000 };
  const began = performance.now();
  expect(await kernel.probe(pod, "eth0", [address("10.9.0.7")], patient)).toEqual([
    { address: "10.9.0.7", mac: mac(THEIRS) },
  ]);
  expect(await kernel.probe(pod, "eth0", [address("fd09::7")], patient)).toEqual([
    { address: "fd09::7", mac: mac(THEIRS) },
  ]);
  expect(performance.now() - began).toBeLessThan(6_000);
});

rooted("an address that nobody holds is free, and only then is all of the time spent", async () => {
  const began = performance.now();
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 10);
  const free = [address("10.9.0.8"), address("fd09::8")];
  expect(await kernel.probe(pod, "eth0", free, pace)).toEqual([]);
  clearInterval(ticking);
  expect(performance.now() - began).toBeGreaterThanOrEqual(295);
  // The event loop went on.
  expect(ticks).toBeGreaterThan(1);
});

rooted("somebody else who probes for the same address at the same time counts as its holder", async () => {
  const other = { netns: "/run/netns/wire-other" };
  const wanted = [address("10.9.0.9")];
  const [ours] = await Promise.all([
    kernel.probe(pod, "eth0", wanted, pace),
    kernel.probe(other, "eth0", wanted, pace),
  ]);
  expect(ours).toEqual([{ address: "10.9.0.9", mac: mac(THEIRS) }]);
  // The other goes on: once it knows of its rival, the first asks no more.
});

rooted("what a probe asks for goes out without a sender", async () => {
  const frame = "ffffffffffff0200000000050806000108000604000102000000000500000000";
  expect(await heard(frame, () => kernel.probe(pod, "eth0", [address("10.9.0.10")], pace))).toMatch(/0a09000a/);
});

rooted("a link that is not there", async () => {
  await expect(kernel.probe(pod, "eth9", [address("10.9.0.7")], pace)).rejects.toThrow("link get eth9");
  await expect(kernel.probe({ netns: "/run/netns/none" }, "eth0", [], pace)).rejects.toThrow("/run/netns/none");
});
