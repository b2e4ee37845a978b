/**
 * Two tenants with the same addresses, each with a network that is one segment on all nodes: pods of a tenant are neighbours
 * wherever they are, no packet gets from one tenant to the other, and what is for one pod is on its node's wire alone.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, inside, must } from "../../conformance/program.ts";
import { type Capture, capture, toldOf } from "../attach/capture.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers, fits } from "./ping.ts";
import { addressOf, NAMES, type Name, namespaceOf } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";

const runs = needing(...RIG, { file: "/usr/bin/python3" });
const VNI = { blue: 71, green: 72 } as const;
type Tenant = keyof typeof VNI;
const TENANTS = ["blue", "green"] as const satisfies readonly Tenant[];

const NETWORKS = TENANTS.map((name) => ({
  name,
  tenant: name,
  attachment: "bridge",
  pool: name,
  stretch: { vni: VNI[name] },
  options: { bridge: "br0", isDefaultGateway: true },
}));
const POOLS = [
  { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/48" }]] },
  ...TENANTS.map((name) => ({
    name,
    ranges: [[{ subnet: "10.0.0.0/26" }], [{ subnet: "fd00:77::/122" }]],
    blockSize: { 4: 28, 6: 124 },
  })),
];

let rig: Rig;
const pods = {} as Record<Tenant, Record<Name, Pod>>;
let stranger: Pod;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({
    underlay: 4,
    config: { pools: POOLS, tenants: TENANTS.map((name) => ({ name })), networks: NETWORKS },
  });
  for (const tenant of TENANTS) {
    pods[tenant] = {} as Record<Name, Pod>;
    for (const name of NAMES)
      pods[tenant][name] = await rig.nodes[name].add(`cl-st-${tenant}-${name}`, { network: tenant });
  }
  stranger = await rig.nodes.a.add("cl-st-stranger");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

const pairs = NAMES.flatMap((from) => NAMES.filter((to) => to !== from).map((to) => [from, to] as const));

runs("pods of a tenant are neighbours on all nodes, with packets of exactly the size that they were told", async () => {
  const addresses = (tenant: Tenant) => NAMES.map((name) => pods[tenant][name].address[4]).toSorted();
  // What follows would show little otherwise.
  expect(addresses("blue").filter((each) => addresses("green").includes(each))).not.toEqual([]);
  for (const tenant of TENANTS)
    for (const [from, to] of pairs)
      for (const family of [4, 6] as const) {
        const [one, other] = [pods[tenant][from], pods[tenant][to]];
        await eventually(
          `${one.id} reaches ${other.id}`,
          async () => (await fits(one, other, family, one.mtu)) || undefined,
        );
      }
  const { a, c } = pods.green;
  expect(a.mtu).toBe(1_450);
  for (const family of [4, 6] as const) expect(await fits(a, c, family, a.mtu + 1)).toBe(false);
});

runs("no route of the nodes themselves leads to a tenant's pods", async () => {
  for (const family of ["-4", "-6"]) {
    const routes = (await rig.nodes.a.on("ip", family, "route")).split("\n");
    expect(routes.filter((route) => /^(10\.0\.0\.|fd00:77:)/.test(route))).toEqual([]);
  }
});

const PATTERN = "for one alone";
const ping = (from: Pod, to: string, ...more: readonly string[]): Promise<string> =>
  must(inside(from.id, ["ping", "-c", "3", "-i", "0.2", "-W", "5", ...more, to]));

runs("what is for one pod is seen by it, and neither by the other tenant nor on a third node's wire", async () => {
  const { a, b } = pods.blue;
  const captures = {} as Record<"meant" | "third" | "own" | "other", Capture>;
  await using closed = new AsyncDisposableStack();
  const open = async (namespace: string): Promise<Capture> => closed.use(await capture(namespace, PATTERN));
  for (const name of ["meant", "third", "own", "other"] as const)
    captures[name] = await open(
      { meant: b.id, third: namespaceOf("c"), own: pods.green.a.id, other: pods.green.b.id }[name],
    );
  await ping(a, b.address[4], "-p", Buffer.from(PATTERN).toString("hex"));
  await toldOf(captures.meant, "eth0 in text");
  for (const name of ["third", "own", "other"] as const)
    expect((await captures[name].seen()).filter((line) => line.endsWith(" text"))).toEqual([]);
});

runs("what is for everybody stays on its node", async () => {
  await using wire = await capture(namespaceOf("b"), PATTERN);
  const [pattern, broadcast] = [Buffer.from(PATTERN).toString("hex"), "10.0.0.63"];
  await must(inside(pods.blue.a.id, ["sh", "-c", `ping -b -c 3 -i 0.2 -W 1 -p ${pattern} ${broadcast} || true`]));
  await ping(pods.blue.a, pods.blue.b.address[4]);
  expect((await wire.seen()).filter((line) => line.endsWith(" text"))).toEqual([]);
});

const SENDER = ["/usr/bin/python3", "-I", join(import.meta.dirname, "..", "tenants", "segment.py")];

runs("nobody but the nodes puts a frame into a tenant's segment", async () => {
  const frame = (to: string, source: string): string[] => [...SENDER, String(VNI.blue), to, source, "10.0.0.63"];
  await using heard = await capture(pods.blue.a.id);
  const strangers = [stranger, pods.green.a, pods.green.b, pods.blue.b].flatMap(({ id }) =>
    [addressOf("a", 4), "224.0.0.1", "255.255.255.255"].map((to) => [id, to] as const),
  );
  for (const [i, [from, to]] of strangers.entries()) await must(inside(from, frame(to, `10.0.1.${i + 1}`)));
  // A node's own arrives, after all of them.
  await rig.nodes.b.on(...frame(addressOf("a", 4), "10.0.2.1"));
  const told = await toldOf(heard, "eth0 in 10.0.2.1 10.0.0.63");
  expect(told.filter((line) => line.startsWith("eth0 in 10.0.1."))).toEqual([]);
});

/** Runs a program in a tenant's router on node a. */
const inRouter = (tenant: Tenant, ...argv: readonly string[]): Promise<string> =>
  must(["nsenter", `--net=${join(rig.nodes.a.routers, `selvedge-${tenant}`)}`, ...argv]);

/** MAC addresses that the tunnel in a tenant's router on node a knows to be elsewhere. */
async function elsewhere(tenant: Tenant): Promise<string[]> {
  const all = JSON.parse(await inRouter(tenant, "bridge", "-j", "fdb", "show")) as { mac: string; dst?: string }[];
  return all.flatMap(({ mac, dst }) => (dst === undefined ? [] : [mac])).toSorted();
}

const reaches = (from: Pod, to: Pod, family: 4 | 6 = 4): Promise<true> =>
  eventually(`${from.id} reaches ${to.id}`, async () => (await answers(from, to, family)) || undefined);

const nothingMissing = (): Promise<true> =>
  eventually("nothing is missing", async () => {
    expect(await rig.nodes.a.ctl("plan")).toMatchObject({ lines: [] });
    return true;
  });

runs("a pod that comes is known in its tenant's routers, and one that has gone is forgotten", async () => {
  const before = { blue: await elsewhere("blue"), green: await elsewhere("green") };
  expect(before.green).toHaveLength(2);
  const { c } = rig.nodes;
  const comes = await c.add("cl-st-comes", { network: "green" });
  await reaches(pods.green.a, comes);
  expect(await elsewhere("green")).toHaveLength(3);
  expect(await elsewhere("blue")).toEqual(before.blue);
  await c.del(comes.id);
  await eventually("it is forgotten", async () => (await elsewhere("green")).length === 2 || undefined);
  expect(await elsewhere("green")).toEqual(before.green);
  await nothingMissing();
});

runs("what is taken away of a segment is made again", async () => {
  const tunnel = "ip -o link show type vxlan | grep -o 'sx[0-9a-f]*' | head -n 1";
  const lost = [
    `ip link del $(${tunnel})`,
    `bridge fdb show dev $(${tunnel}) | while read -r mac rest; do bridge fdb del $mac dev $(${tunnel}) self; done`,
    "ip neigh flush dev br0 nud permanent",
  ];
  for (const what of lost) {
    await inRouter("blue", "sh", "-c", `{ ${what}; } 2>/dev/null || true`);
    for (const family of [4, 6] as const) await reaches(pods.blue.a, pods.blue.c, family);
    await nothingMissing();
  }
  await reaches(pods.green.a, pods.green.c);
});
