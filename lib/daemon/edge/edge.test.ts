import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { fabric, type Node, node, soon } from "./edge-rig.ts";
import { edgeKey } from "./memory.ts";

const router = (name: string, more: string, url = `https://${name}.example`, key = "/key") =>
  `{name: ${name}, url: "${url}", key: {file: ${key}}, ${more}}`;
const groups = (...names: string[]) => `groups: [${names.map((name) => `{name: ${name}, of: pools}`).join(", ")}]`;
const phase = ({ edge }: Node, name: string) => edge.routers.get(name)?.status.phase;
const isInSync = (one: Node, ...names: string[]) => names.every((name) => phase(one, name) === "in-sync");

function rig() {
  const net = fabric();
  const groupsAt = (name: string) =>
    linesOf(net.at(`https://${name}.example`).running)
      .flatMap((line) => /^firewall group network-group (\S+) network 10.66/.exec(line)?.[1] ?? [])
      .toSorted();
  const writerOf = async (one: Node, name: string) => {
    const entry = await one.keeper.get(edgeKey(name, "writer"));
    return entry && { node: (JSON.parse(entry.value) as { node: string }).node, revision: entry.revision };
  };
  return { net, groupsAt, writerOf };
}

test("a router that comes is written to; another goes on as it was", async () => {
  const { net, groupsAt, writerOf } = rig();
  const [one, two] = [router("edge1", groups("ONE")), router("edge2", groups("TWO"))];
  await using alpha = node(net, "alpha", [one]);
  await soon("edge1", net, [alpha], () => isInSync(alpha, "edge1"));
  const states: string[] = [];
  alpha.edge.onState = (name) => states.push(`${name} ${phase(alpha, name)}`);
  const before = alpha.edge.routers.get("edge1")?.pusher;
  alpha.become([one, two]);
  expect([...alpha.edge.routers.keys()]).toEqual(["edge1", "edge2"]);
  expect(phase(alpha, "edge2")).toBe("starting");
  await soon("edge2", net, [alpha], () => isInSync(alpha, "edge2"));
  expect([groupsAt("edge1"), groupsAt("edge2")]).toEqual([["ONE"], ["TWO"]]);
  expect(alpha.edge.routers.get("edge1")?.pusher).toBe(before);
  expect(net.at("https://edge1.example").counted.commits).toBe(1);
  expect(states).toEqual(["edge2 in-sync"]);
  expect(alpha.edge.routers.get("edge2")?.status.lastPush).toMatchObject({ revision: 1, result: "done" });
  expect(await writerOf(alpha, "edge2")).toMatchObject({ node: "alpha" });
});

test("other settings hold when a push that is under way has ended, and nothing of the record, the lease and the counts is lost", async () => {
  const { net, groupsAt, writerOf } = rig();
  await using alpha = node(net, "alpha", [router("edge1", groups("ONE", "OLD"))]);
  await soon("the first", net, [alpha], () => isInSync(alpha, "edge1"));
  const lease = await writerOf(alpha, "edge1");
  net.hold();
  alpha.become([router("edge1", groups("ONE", "OLD", "TWO"))]);
  await soon("a push", net, [], () => phase(alpha, "edge1") === "pushing");
  const states: string[] = [];
  alpha.edge.onState = () => states.push(`${phase(alpha, "edge1")}`);
  alpha.become([router("edge1", groups("ONE", "NEVER"))]);
  alpha.become([router("edge1", groups("ONE", "THREE"))]);
  expect(alpha.edge.routers.get("edge1")).toMatchObject({ status: { phase: "starting" } });
  expect(groupsAt("edge1")).toEqual(["OLD", "ONE"]);
  net.letGo();
  await soon("the new settings", net, [alpha], () => isInSync(alpha, "edge1"));
  expect(groupsAt("edge1")).toEqual(["ONE", "THREE"]);
  expect(states).toEqual(["starting", "in-sync"]);
  expect(await writerOf(alpha, "edge1")).toEqual(lease);
  const { status, pusher } = alpha.edge.routers.get("edge1") ?? {};
  expect(status).toMatchObject({ revision: 3, counted: { pushes: 3, failedPushes: 0 } });
  expect((await pusher?.history())?.map(({ result }) => result)).toEqual(["done", "done", "done"]);
  expect(net.most.get("alpha edge1")).toBe(1);
});

test("a router that goes during a push keeps what it has, and another node may be its writer; it comes back as it went", async () => {
  const { net, groupsAt, writerOf } = rig();
  await using alpha = node(net, "alpha", []);
  net.hold();
  alpha.become([router("edge1", groups("ONE"))]);
  await soon("a push", net, [], () => phase(alpha, "edge1") === "pushing");
  const order = alpha.edge.alone("edge1", async () => "carried out");
  alpha.become([]);
  expect(alpha.edge.routers.size).toBe(0);
  await expect(alpha.edge.alone("edge1", async () => {})).rejects.toThrow('none is called "edge1"; there are none');
  expect(await writerOf(alpha, "edge1")).toMatchObject({ node: "alpha" });
  net.letGo();
  await expect(order).rejects.toThrow('"edge1" has been taken out of the configuration meanwhile');
  await soon("the lease goes", net, [alpha], async () => (await writerOf(alpha, "edge1")) === undefined);
  expect(groupsAt("edge1")).toEqual(["ONE"]);
  expect((await alpha.keeper.get(edgeKey("edge1", "state")))?.value).toContain("ONE");

  alpha.become([router("edge1", groups("TWO"))]);
  await soon("it is back", net, [alpha], () => isInSync(alpha, "edge1"));
  expect(groupsAt("edge1")).toEqual(["TWO"]);
  expect(alpha.edge.routers.get("edge1")?.status.revision).toBe(2);
  expect(net.most.get("alpha edge1")).toBe(1);
});

test("one that comes back before it has ended goes on", async () => {
  const { net, groupsAt } = rig();
  await using alpha = node(net, "alpha", []);
  net.hold();
  alpha.become([router("edge1", groups("ONE"))]);
  await soon("a push", net, [], () => phase(alpha, "edge1") === "pushing");
  alpha.become([]);
  alpha.become([router("edge1", groups("TWO"))]);
  net.letGo();
  await soon("it is there", net, [alpha], () => isInSync(alpha, "edge1"));
  expect(groupsAt("edge1")).toEqual(["TWO"]);
  expect(net.most.get("alpha edge1")).toBe(1);
});

/** That is not answered from its first commit on. */
async function unsaved() {
  const { net, writerOf } = rig();
  const one = net.at("https://edge1.example");
  const alpha = node(net, "alpha", []);
  one.between = () => {
    one.down = "unreachable";
  };
  alpha.become([router("edge1", groups("ONE"))]);
  await soon("it was pushed to", net, [], () => phase(alpha, "edge1") === "failing");
  const said = () =>
    alpha.events.flatMap((event) => (event.event === "edge-failed" ? [event.message] : [])).filter(isOfReboot);
  return { net, alpha, one, said, hasSaved: () => linesOf(one.saved).join().includes("ONE"), writerOf };
}
const isOfReboot = (message: string) =>
  message.startsWith("it is in the configuration no more, and loses what was pushed last when it reboots: ");

test("what was pushed to a router that goes before it is saved is saved", async () => {
  const { net, alpha, one, said, hasSaved, writerOf } = await unsaved();
  await using _ = alpha;
  alpha.become([]);
  await sleep(20);
  expect([hasSaved(), await writerOf(alpha, "edge1")]).toMatchObject([false, { node: "alpha" }]);
  one.down = undefined;
  await soon("the lease goes", net, [alpha], async () => (await writerOf(alpha, "edge1")) === undefined);
  expect([hasSaved(), one.counted.commits, said()]).toEqual([true, 1, []]);
  expect((await alpha.keeper.get(edgeKey("edge1", "state")))?.value).toContain('"isUnsaved":false');
});

test("where that is not possible it is told of, and left", async () => {
  const { net, alpha, one, said, hasSaved, writerOf } = await unsaved();
  await using _ = alpha;
  alpha.become([]);
  await soon("the lease goes", net, [alpha], async () => (await writerOf(alpha, "edge1")) === undefined);
  expect([hasSaved(), said().length]).toEqual([false, 1]);
  // It is remembered, for the next of its name.
  one.down = undefined;
  alpha.become([router("edge1", groups("ONE"))]);
  await soon("it is back", net, [alpha], () => isInSync(alpha, "edge1"));
  expect([hasSaved(), one.counted.commits]).toEqual([true, 1]);
});

test("a router that is paused as it goes stays as it boots", async () => {
  const { net, alpha, one, said, hasSaved, writerOf } = await unsaved();
  await using _ = alpha;
  await alpha.edge.alone("edge1", ({ pusher }) => pusher.pause("harm"));
  one.down = undefined;
  alpha.become([]);
  await soon("the lease goes", net, [alpha], async () => (await writerOf(alpha, "edge1")) === undefined);
  expect([hasSaved(), one.counted.saves]).toEqual([false, 0]);
  expect(said()).toEqual([expect.stringMatching(/: it is paused by alpha: harm$/)]);
});

test("while the store is away a router that went keeps its lease, which goes when it is back", async () => {
  const { net, writerOf } = rig();
  await using alpha = node(net, "alpha", [router("edge1", groups("ONE"))]);
  await soon("in sync", net, [alpha], () => isInSync(alpha, "edge1"));
  net.space.stop();
  alpha.become([]);
  await sleep(50);
  net.space.start();
  await soon("the lease goes", net, [alpha], async () => (await writerOf(alpha, "edge1")) === undefined);
});

test("another key counts from the next request on", async () => {
  const { net, groupsAt } = rig();
  await using alpha = node(net, "alpha", [router("edge1", groups("ONE"))]);
  await soon("in sync", net, [alpha], () => isInSync(alpha, "edge1"));
  net.at("https://edge1.example").key = "another";
  alpha.become([router("edge1", groups("TWO"))]);
  await soon("it is denied", net, [alpha], () => phase(alpha, "edge1") === "failing");
  net.secrets.set("/other", "another");
  // Nobody waits until the router is asked again for its failures.
  alpha.become([router("edge1", groups("TWO"), undefined, "/other")]);
  await soon("in sync again", net, [], () => isInSync(alpha, "edge1"));
  expect(groupsAt("edge1")).toEqual(["TWO"]);
});

test("at another URL all is made; what was told before keeps what it has", async () => {
  const { net, groupsAt } = rig();
  await using alpha = node(net, "alpha", [router("edge1", groups("ONE"))]);
  await soon("in sync", net, [alpha], () => isInSync(alpha, "edge1"));
  alpha.become([router("edge1", groups("ONE", "TWO"), "https://edge9.example")]);
  await soon("in sync there", net, [alpha], () => isInSync(alpha, "edge1"));
  expect([groupsAt("edge1"), groupsAt("edge9")]).toEqual([["ONE"], ["ONE", "TWO"]]);
});

test("one that is wrong is told of, and holds up no other; put right, it is made at once", async () => {
  const { net, groupsAt } = rig();
  const good = router("edge1", groups("ONE"));
  await using alpha = node(net, "alpha", [good]);
  const bgp = (file: string) =>
    `bgp: {as: 65000, nodesAs: 65001, addresses: [192.0.2.2], password: {file: ${file}}}, ${groups("TWO")}`;
  alpha.become([good, router("edge2", bgp("/missing")), router("edge3", groups("THREE"))]);
  await soon("the others", net, [alpha], () => isInSync(alpha, "edge1", "edge3"));
  await soon("it fails", net, [alpha], () => phase(alpha, "edge2") === "failing");
  expect(alpha.edge.routers.get("edge2")?.status.message).toBe("edge: /missing is not there");
  const told = () => alpha.edge.speaking?.troubleWith("edge2");
  await soon("FRR, too", net, [], () => told() !== undefined);
  expect(told()).toBe("edge: /missing is not there");
  net.secrets.set("/there", "s3cret");
  alpha.become([good, router("edge2", bgp("/there")), router("edge3", groups("FOUR"))]);
  await soon("all", net, [], () => isInSync(alpha, "edge1", "edge2", "edge3"));
  expect([groupsAt("edge1"), groupsAt("edge2"), groupsAt("edge3")]).toEqual([["ONE"], ["TWO"], ["FOUR"]]);
  await soon("FRR", net, [alpha], () => alpha.speaker.text?.includes("neighbor 192.0.2.2 password s3cret") === true);
  alpha.become([good]);
  await soon("FRR ends", net, [alpha], () => alpha.speaker.text === undefined);
});

test("one that is paused stays so with other settings, and what was failing is asked anew", async () => {
  const { net, groupsAt } = rig();
  await using alpha = node(net, "alpha", [router("edge1", groups("ONE"))]);
  await soon("in sync", net, [alpha], () => isInSync(alpha, "edge1"));
  await alpha.edge.alone("edge1", ({ pusher }) => pusher.pause("asked for"));
  alpha.become([router("edge1", groups("TWO"))]);
  await soon("it is paused", net, [alpha], () => phase(alpha, "edge1") === "paused");
  expect(groupsAt("edge1")).toEqual(["ONE"]);
  await alpha.edge.alone("edge1", ({ pusher }) => pusher.resume());
  await soon("in sync again", net, [alpha], () => isInSync(alpha, "edge1"));
  expect(groupsAt("edge1")).toEqual(["TWO"]);
});

test("an order that waited for a push is carried out with the settings of then", async () => {
  const { net, groupsAt } = rig();
  await using alpha = node(net, "alpha", []);
  net.hold();
  alpha.become([router("edge1", groups("ONE"))]);
  await soon("a push", net, [], () => phase(alpha, "edge1") === "pushing");
  const planned = alpha.edge.alone("edge1", async ({ config }) => config.groups.map(({ name }) => name));
  alpha.become([router("edge1", groups("TWO"))]);
  net.letGo();
  expect(await planned).toEqual(["TWO"]);
  await soon("in sync", net, [alpha], () => isInSync(alpha, "edge1"));
  expect(groupsAt("edge1")).toEqual(["TWO"]);
});

test("pods that a router chooses which comes later are known from then on; without knowing all nothing is written", async () => {
  const { net } = rig();
  await using alpha = node(net, "alpha", [router("edge1", groups("ONE"))]);
  await soon("in sync", net, [alpha], () => isInSync(alpha, "edge1"));
  const pod = (name: string, last: number) => ({
    namespace: "shop",
    name,
    labels: { app: "web" },
    ports: [],
    addresses: [address(`10.66.0.${last}`)],
  });
  const pods = [pod("web-1", 5)];
  const policies = { isInformed: false, enforcement: { told: () => pods } };
  Object.assign(alpha.core, { policies });
  alpha.edge.pods.put(pod("web-1", 5));
  const chooses = "groups: [{name: WEB, of: pods, pods: {namespace: shop, labels: {app: web}}}]";
  alpha.become([router("edge1", groups("ONE")), router("edge2", chooses)]);
  await sleep(50);
  expect(phase(alpha, "edge2")).toBe("starting");
  policies.isInformed = true;
  const members = () =>
    linesOf(net.at("https://edge2.example").running).filter((line) => line.includes("address-group WEB address"));
  await soon("it has the pod", net, [alpha], () => members().length === 1);
  alpha.edge.pods.put(pod("web-2", 6));
  alpha.edge.pods.told();
  await soon("it has both", net, [alpha], () => members().join().includes("10.66.0.5-10.66.0.6"));
});
