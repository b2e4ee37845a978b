/** One tenant's segment on three nodes, beside another tenant's with the same addresses. */
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import { ping } from "../../conformance/traffic.ts";
import { type Capture, capture, toldOf } from "../attach/capture.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const test = needing(...LIVE, { file: "/usr/bin/python3" }, { file: "/usr/bin/unshare" });

const NODES = ["one", "two", "three"] as const;
type NodeName = (typeof NODES)[number];
const WIRE = { one: "198.51.100.1", two: "198.51.100.2", three: "198.51.100.3" } as const;
/** The network between the nodes, with an address of its own that is no node's. */
const BETWEEN = "tn-wire";
const STRANGER = "198.51.100.9";
const TENANTS = { blue: 71, green: 72 } as const;

/** Ranges of the pods, and so the first address of one on a node. */
const RANGES = { one: [10, 99], two: [110, 149], three: [150, 199] } as const;
const first = { one: "10.0.0.10", two: "10.0.0.110", three: "10.0.0.150" } as const;

const config = (node: NodeName) => ({
  // The wire is there later than the daemon.
  reconcile: { everySeconds: 1 },
  routers: { dir: `/run/routers-${node}` },
  pools: [
    ...Object.keys(TENANTS).map((name) => {
      const [from, to] = RANGES[node];
      return { name, ranges: [[{ subnet: "10.0.0.0/24", rangeStart: `10.0.0.${from}`, rangeEnd: `10.0.0.${to}` }]] };
    }),
    { name: "plain", ranges: [[{ subnet: "10.77.0.0/24" }]] },
  ],
  defaultPool: "plain",
  tenants: Object.keys(TENANTS).map((name) => ({ name })),
  networks: Object.entries(TENANTS).map(([name, vni]) => ({
    name,
    tenant: name,
    pool: name,
    attachment: "bridge",
    options: { bridge: "br0", isDefaultGateway: true },
    encapsulation: {
      type: "vxlan",
      vni,
      parent: "wire0",
      peers: NODES.filter((other) => other !== node).map((other) => WIRE[other]),
    },
  })),
});

const running = process.getuid?.() === 0;
const live = {} as Record<NodeName, LiveNode>;
const idOf = (tenant: string, node: string): string => `${tenant}-${node}`;
const nodeOf = (node: NodeName): string => `tn-${node}-node`;
/** A pod of the node's own network, on the first node. */
const PLAIN = "plain-one";

async function attach(node: NodeName, id: string, conf: Readonly<Record<string, string | boolean>>): Promise<void> {
  await live[node].pods(id);
  const ran = await live[node].ask("ADD", id, { config: conf });
  if (ran.exit !== 0) throw new Error(ran.stdout + ran.stderr);
}

beforeAll(async () => {
  if (!running) return;
  for (const name of NODES) live[name] = await makeLiveNode({ name: `tn-${name}`, config: config(name) });
  await makeNamespace(BETWEEN);
  await ip(BETWEEN, "link add lan type bridge");
  await ip(BETWEEN, `addr add ${STRANGER}/24 dev lan`);
  await ip(BETWEEN, "link set lan up");
  for (const name of NODES) {
    await ip(nodeOf(name), `link add wire0 type veth peer name ${name} netns ${BETWEEN}`);
    await ip(BETWEEN, `link set ${name} master lan up`);
    await ip(nodeOf(name), `addr add ${WIRE[name]}/24 dev wire0`);
    await ip(nodeOf(name), "link set wire0 up");
    for (const tenant of Object.keys(TENANTS)) await attach(name, idOf(tenant, name), { network: tenant });
  }
  await attach("one", PLAIN, { ipMasq: true });
});

afterAll(async () => {
  if (!running) return;
  for (const name of NODES) await live[name]?.[Symbol.asyncDispose]();
  await removeNamespace(BETWEEN);
});

const pairs = NODES.flatMap((from) => NODES.filter((to) => to !== from).map((to) => [from, to] as const));

test("pods of a tenant on all nodes are on one segment; those of another, with the same addresses, on their own", async () => {
  for (const tenant of Object.keys(TENANTS)) {
    for (const node of NODES)
      expect(await live[node].within(idOf(tenant, node), "ip", "-br", "-4", "addr", "show", "eth0")).toContain(
        `${first[node]}/24`,
      );
    for (const [from, to] of pairs)
      await eventually(
        `${tenant} of ${from} reaches ${to}`,
        async () =>
          (await ping(idOf(tenant, from), { to: first[to], source: undefined, withinS: 2 })) ? true : undefined,
        20_000,
      );
  }
});

test("what one tenant sends to another node is seen by its own pod there and by no other", async () => {
  await using blue = await capture(idOf("blue", "two"));
  await using green = await capture(idOf("green", "two"));
  await using wire = await capture(nodeOf("two"));
  expect(await ping(idOf("blue", "one"), { to: first.two, source: undefined, withinS: 5 })).toBe(true);
  expect((await blue.seen()).filter((line) => line.includes(first.one))).toContain(`eth0 in ${first.one} ${first.two}`);
  expect(await green.seen()).toEqual([]);
  const seen = await wire.seen();
  expect(seen).toContain(`wire0 in ${WIRE.one} ${WIRE.two}`);
  expect(seen.filter((line) => line.includes(" 10.0.0."))).toEqual([]);
});

test("what is for a pod that has been heard of goes to its node and to no other", async () => {
  const TEXT = "for one alone";
  const pattern = Buffer.from(TEXT).toString("hex");
  expect(await ping(idOf("blue", "one"), { to: first.two, source: undefined, withinS: 5 })).toBe(true);
  await using meant = await capture(nodeOf("two"), TEXT);
  await using other = await capture(nodeOf("three"), TEXT);
  await must(inside(idOf("blue", "one"), ["ping", "-c", "3", "-i", "0.2", "-W", "5", "-p", pattern, first.two]));
  await toldOf(meant, "wire0 in text");
  expect((await other.seen()).filter((line) => line.endsWith(" text"))).toEqual([]);
});

const SENDER = ["/usr/bin/python3", "-I", join(import.meta.dirname, "segment.py")];
const frame = (from: string, to: string, source: string) =>
  must(inside(from, [...SENDER, String(TENANTS.blue), to, source, "10.0.0.255"]));

/** Who sends an outer packet of the first tenant's segment, and where to. */
const STRANGERS: [what: string, from: string, to: string][] = [
  ["another tenant's pod to its node", idOf("green", "one"), WIRE.one],
  ["another tenant's pod to another node", idOf("green", "one"), WIRE.two],
  ["the tenant's own pod to another node", idOf("blue", "one"), WIRE.two],
  ["a pod of no tenant to its node", PLAIN, WIRE.one],
  ["a pod of no tenant to another node", PLAIN, WIRE.two],
  ["a pod of no tenant to all hosts", PLAIN, "224.0.0.1"],
  ["a pod of no tenant to everybody", PLAIN, "255.255.255.255"],
  ["a machine beside the nodes to one of them", BETWEEN, WIRE.two],
  ["a machine beside the nodes to everybody", BETWEEN, "198.51.100.255"],
];

test("nobody but the nodes puts a frame into a segment", async () => {
  const captures = {} as Record<NodeName, Capture>;
  await using closed = new AsyncDisposableStack();
  for (const node of NODES) captures[node] = closed.use(await capture(idOf("blue", node)));
  // From here on nothing tells of the frames that the strangers send but the frames themselves.
  for (const [i, [, from, to]] of STRANGERS.entries()) await frame(from, to, `10.0.0.${200 + i}`);
  // A node's own arrive, after all of them.
  await frame(nodeOf("two"), WIRE.one, "10.0.0.250");
  await frame(nodeOf("one"), WIRE.two, "10.0.0.250");
  await frame(nodeOf("one"), WIRE.three, "10.0.0.250");
  for (const node of NODES) {
    const told = await toldOf(captures[node], "eth0 in 10.0.0.250 10.0.0.255");
    const strange = STRANGERS.filter((_, i) => told.includes(`eth0 in 10.0.0.${200 + i} 10.0.0.255`));
    expect(strange.map(([what]) => `${what}, seen on ${node}`)).toEqual([]);
  }
});

test("a frame of the largest size passes whole; the segment is whole again after somebody took it away", async () => {
  const within = (id: string, ...argv: string[]) => must(inside(id, argv));
  await within(idOf("blue", "one"), "ping", "-M", "do", "-c", "1", "-W", "5", "-s", String(1450 - 28), first.two);
  const router = `--net=/run/routers-one/selvedge-blue`;
  const links = JSON.parse(await must(["/usr/bin/nsenter", router, "ip", "-j", "link", "show", "type", "vxlan"])) as {
    ifname: string;
    mtu: number;
  }[];
  expect(links).toMatchObject([{ mtu: 1450 }]);
  await must(["/usr/bin/nsenter", router, "ip", "link", "del", links[0]?.ifname ?? ""]);
  await eventually(
    "the segment is back",
    async () =>
      (await ping(idOf("blue", "one"), { to: first.two, source: undefined, withinS: 1 })) ? true : undefined,
    20_000,
  );
  const checked = await live.one.ask("CHECK", idOf("blue", "one"), { config: { network: "blue" } });
  expect(checked.stdout).toBe("");
});
