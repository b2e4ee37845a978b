/** Devices of a node lent to pods through the real plugin and daemon: a veth, and what the refusals say. Hardware: the guest of test/vm. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const test = needing(...LIVE);
const here = process.getuid?.() === 0;

let live: LiveNode;
beforeAll(async () => {
  if (here)
    live = await makeLiveNode({ name: "hd", config: { ipam: { coolDownSeconds: 0 }, reconcile: { everySeconds: 2 } } });
});
afterAll(async () => {
  if (here) await live[Symbol.asyncDispose]();
});

const MAC = "02:00:00:00:00:aa";
let pods = 0;
/** Of the test that is running. */
const own: string[] = [];
/** The first of them. */
let pod: string;

/** A namespace of its own for the test. */
async function another(): Promise<string> {
  const id = `hd-p${++pods}`;
  own.push(id);
  await live.pods(id);
  return id;
}

beforeEach(async () => {
  if (!here) return;
  pod = await another();
  await live.on("ip", "link", "add", "wire0", "address", MAC, "type", "veth", "peer", "name", "wire1");
  await live.on("ip", "link", "set", "wire0", "up", "alias", "to the lab");
  await live.on("ip", "link", "set", "wire1", "up");
});
afterEach(async () => {
  if (!here) return;
  for (const id of own.splice(0)) await live.ask("DEL", id, { config: network });
  await live.on("ip", "link", "del", "wire1").catch(() => {});
});

const network = {
  attachment: "host-device",
  device: "wire0",
  ipam: { ranges: [[{ subnet: "10.7.0.0/24" }]] },
  duplicateCheck: false,
};
const asked = { config: network };

/** One record of `ip -j link show`. */
const shown = async (name: string, within?: string): Promise<Record<string, unknown>> => {
  const argv = ["ip", "-j", "link", "show", name] as const;
  return JSON.parse(await (within === undefined ? live.on(...argv) : live.within(within, ...argv)))[0];
};
/** What attachments have left; the device itself is the node's. */
const left = async (): Promise<string[]> => (await live.left()).filter((line) => !/\bwire[01]\b/.test(line));
const AS_IT_WAS = { address: MAC, mtu: 1500, ifalias: "to the lab", flags: expect.arrayContaining(["UP"]) };

test("ADD, CHECK, DEL: the pod has the device with its MAC and MTU, and the node has it back as it was", async () => {
  const added = await live.ask("ADD", pod, asked);
  expect(added).toMatchObject({ exit: 0 });
  const result = JSON.parse(added.stdout);
  expect(result.interfaces).toEqual([{ name: "eth0", mac: MAC, mtu: 1500, sandbox: `/run/netns/${pod}` }]);
  expect(result.ips).toHaveLength(1);
  expect(await shown("eth0", pod)).toMatchObject({ address: MAC, mtu: 1500, ifalias: `selvedge-lent ${pod} eth0` });
  expect(await live.ask("CHECK", pod, { config: { ...network, prevResult: result } })).toMatchObject({ exit: 0 });
  await expect(shown("wire0")).rejects.toThrow("does not exist");

  for (const _again of [1, 2]) expect(await live.ask("DEL", pod, asked)).toMatchObject({ exit: 0 });
  expect(await shown("wire0")).toMatchObject(AS_IT_WAS);
  expect(await left()).toEqual([]);
});

test("what somebody changes in the pod is repaired", async () => {
  expect(await live.ask("ADD", pod, asked)).toMatchObject({ exit: 0 });
  await live.within(pod, "ip", "link", "set", "eth0", "down", "mtu", "1300");
  const repaired = await eventually("the link is as it was", async () => {
    const { mtu, flags } = (await shown("eth0", pod)) as { mtu: number; flags: string[] };
    return mtu === 1500 && flags.includes("UP") ? true : undefined;
  });
  expect(repaired).toBe(true);
});

test("a device that a pod has is refused to another, naming the pod", async () => {
  expect(await live.ask("ADD", pod, asked)).toMatchObject({ exit: 0 });
  const other = await another();
  const refused = await live.ask("ADD", other, { config: { ...network, device: "", hwaddr: MAC } });
  expect(refused.exit).not.toBe(0);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    code: 106,
    msg: `hwaddr: wire0 is lent to container ${pod}, interface eth0`,
  });
  expect(await live.ask("CHECK", pod, asked)).toMatchObject({ exit: 0 });
});

const refusals: [config: object, message: string][] = [
  [{ device: "nope0" }, 'device: "nope0" is not a device of the node; there are'],
  [{ device: "" }, "device: is missing; it must be given, or one of hwaddr, kernelpath, pciBusID"],
  [{ device: "", pciBusID: "0000:ff:1f.7" }, 'pciBusID: "0000:ff:1f.7" is not a device of the node'],
  [{ attachment: "sriov", pf: "wire0" }, 'pf: "wire0" is not a virtual function of the node; there are none'],
  [{ attachment: "sriov", devicePool: "fast" }, 'devicePool: "fast" is not a pool of the node; there are none'],
];
test.each(refusals)("%j is refused before anything is made", async (config, message) => {
  const refused = await live.ask("ADD", pod, { config: { ...network, ...config } });
  expect(refused.exit).not.toBe(0);
  expect(JSON.parse(refused.stdout)).toMatchObject({ code: 7, msg: expect.stringContaining(message) });
  expect(await shown("wire0")).toMatchObject(AS_IT_WAS);
  expect(await left()).toEqual([]);
});

test("the daemon is killed between ADD and DEL: the next one knows what was lent", async () => {
  expect(await live.ask("ADD", pod, asked)).toMatchObject({ exit: 0 });
  await live.daemon.kill();
  await live.daemon.start();
  expect(await live.ask("CHECK", pod, asked)).toMatchObject({ exit: 0 });
  expect(await live.ask("DEL", pod, asked)).toMatchObject({ exit: 0 });
  expect(await shown("wire0")).toMatchObject(AS_IT_WAS);
});
