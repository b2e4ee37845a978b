/** One tenant's segment on two nodes, beside another tenant's with the same addresses. */
import { afterAll, beforeAll, expect } from "@jest/globals";
import { ip } from "../../conformance/namespace.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import { ping } from "../../conformance/traffic.ts";
import { capture } from "../attach/capture.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const test = needing(...LIVE, { file: "/usr/bin/python3" }, { file: "/usr/bin/unshare" });

const NODES = ["one", "two"] as const;
const WIRE = { one: "198.51.100.1", two: "198.51.100.2" } as const;
const TENANTS = { blue: 71, green: 72 } as const;

/** The first address of a pod on a node: .10 on the first, .110 on the second. */
const config = (node: (typeof NODES)[number]) => ({
  // The wire is there later than the daemon.
  reconcile: { everySeconds: 1 },
  routers: { dir: `/run/routers-${node}` },
  pools: Object.keys(TENANTS).map((name) => ({
    name,
    ranges: [
      [
        {
          subnet: "10.0.0.0/24",
          rangeStart: node === "one" ? "10.0.0.10" : "10.0.0.110",
          rangeEnd: node === "one" ? "10.0.0.99" : "10.0.0.199",
        },
      ],
    ],
  })),
  defaultPool: "blue",
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
const live = {} as Record<(typeof NODES)[number], LiveNode>;
const idOf = (tenant: string, node: string): string => `${tenant}-${node}`;

beforeAll(async () => {
  if (!running) return;
  for (const name of NODES) live[name] = await makeLiveNode({ name: `tn-${name}`, config: config(name) });
  await must([
    "ip",
    "-n",
    "tn-one-node",
    "link",
    "add",
    "wire0",
    "type",
    "veth",
    "peer",
    "name",
    "wire0",
    "netns",
    "tn-two-node",
  ]);
  for (const name of NODES) {
    await ip(`tn-${name}-node`, `addr add ${WIRE[name]}/24 dev wire0`);
    await ip(`tn-${name}-node`, "link set wire0 up");
  }
  for (const node of NODES)
    for (const tenant of Object.keys(TENANTS)) {
      const id = idOf(tenant, node);
      await live[node].pods(id);
      const ran = await live[node].ask("ADD", id, { config: { network: tenant } });
      if (ran.exit !== 0) throw new Error(ran.stdout + ran.stderr);
    }
});

afterAll(async () => {
  if (running) for (const name of NODES) await live[name]?.[Symbol.asyncDispose]();
});

const first = { one: "10.0.0.10", two: "10.0.0.110" } as const;

test("pods of a tenant on two nodes are on one segment; those of another, with the same addresses, on their own", async () => {
  for (const tenant of Object.keys(TENANTS)) {
    for (const node of NODES)
      expect(await live[node].within(idOf(tenant, node), "ip", "-br", "-4", "addr", "show", "eth0")).toContain(
        `${first[node]}/24`,
      );
    await eventually(
      `${tenant} reaches its other node`,
      async () =>
        (await ping(idOf(tenant, "one"), { to: first.two, source: undefined, withinS: 2 })) ? true : undefined,
      20_000,
    );
    expect(await ping(idOf(tenant, "two"), { to: first.one, source: undefined, withinS: 5 })).toBe(true);
  }
});

test("what one tenant sends to the other node is seen by its own pod there and by no other", async () => {
  await using blue = await capture(idOf("blue", "two"));
  await using green = await capture(idOf("green", "two"));
  await using wire = await capture("tn-two-node");
  expect(await ping(idOf("blue", "one"), { to: first.two, source: undefined, withinS: 5 })).toBe(true);
  expect((await blue.seen()).filter((line) => line.includes(first.one))).toContain(`eth0 in ${first.one} ${first.two}`);
  expect(await green.seen()).toEqual([]);
  const seen = await wire.seen();
  expect(seen).toContain(`wire0 in ${WIRE.one} ${WIRE.two}`);
  expect(seen.filter((line) => line.includes(" 10.0.0."))).toEqual([]);
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
