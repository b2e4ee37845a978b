/** Tenants on a node in memory: every verb, restarts, and what becomes of a router. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { boot, patient, type Running, request, sound, type World, world, wounds } from "../faults/world.ts";
import { allElements } from "../support/owned.ts";

const CONFIG = parseConfig(`
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: blue, ranges: [[{subnet: 10.0.0.0/24}], [{subnet: "fd00::/64"}]]}
  - {name: green, ranges: [[{subnet: 10.0.0.0/24}], [{subnet: "fd00::/64"}]]}
  - {name: red, ranges: [[{subnet: 10.3.0.0/24}]]}
tenants:
  - name: blue
    peers: [red]
    services: [{name: dns, address: 10.9.9.9, port: 53, protocol: udp, to: "192.0.2.5:5353"}]
  - {name: green, egress: false, peers: [red]}
  - {name: red, peers: [blue]}
networks:
  - {name: b, tenant: blue, pool: blue, reportProbeAddress: true}
  - {name: g, tenant: green, pool: green, attachment: bridge, options: {bridge: br0, isDefaultGateway: true}}
  - {name: r, tenant: red, pool: red, attachment: bridge, options: {bridge: br0, isDefaultGateway: true}}
  - {name: n}
`);

const on = (id: string, network: string, more: object = {}) => request(id, { network, ...more });

async function withNode(work: (at: World & { start(): Promise<Running> }) => Promise<void>): Promise<void> {
  const at = world();
  await work({ ...at, start: () => boot(at, sound(), CONFIG) });
}

const ipsOf = ({ result }: { readonly result?: Uint8Array }) =>
  (JSON.parse(Buffer.from(result ?? []).toString()) as { ips: { address: string }[] }).ips.map(
    ({ address }) => address,
  );

test("two tenants have the same addresses on one node; CHECK is content, a restart finds everything, DEL leaves nothing", () =>
  withNode(async (at) => {
    const first = await at.start();
    for (const id of ["b1", "g1", "n1"]) at.kernel.addNamespace(`/run/netns/${id}`);
    const blue = await first.verbs.add(on("b1", "b"), patient());
    const green = await first.verbs.add(on("g1", "g"), patient());
    await first.verbs.add(on("n1", "n"), patient());
    expect(ipsOf(green)).toEqual(["10.0.0.2/24", "fd00::2/64"]);
    expect(ipsOf(blue).slice(2)).toEqual(["10.0.0.2/32", "fd00::2/128"]);
    expect(ipsOf(blue)[0]).toMatch(/^169\.254\.\d+\.\d+\/32$/);
    expect(ipsOf(blue)[1]).toMatch(/^fd42:5e1f:ed9d:1:.*\/128$/);
    for (const [id, network] of [
      ["b1", "b"],
      ["g1", "g"],
      ["n1", "n"],
    ] as const)
      await first.verbs.check(on(id, network), patient());
    await first.repairs.pass();
    expect(await wounds(at, first)).toEqual([]);

    const second = await at.start();
    expect(await second.repairs.plan()).toEqual([]);
    expect(await wounds(at, second)).toEqual([]);
    for (const [id, network] of [
      ["b1", "b"],
      ["g1", "g"],
      ["n1", "n"],
    ] as const)
      await second.verbs.del(on(id, network), patient());
    await second.repairs.pass();
    expect(await wounds(at, second)).toEqual([]);
    expect(second.core.table.size).toBe(0);
  }));

test("a router that somebody unmounts is the same one again; one that a reboot took is made again with all that was in it", () =>
  withNode(async (at) => {
    const first = await at.start();
    for (const id of ["b1", "g1"]) at.kernel.addNamespace(`/run/netns/${id}`);
    await first.verbs.add(on("b1", "b"), patient());
    await first.verbs.add(on("g1", "g"), patient());
    await first.repairs.pass();
    const inode = at.kernel.namespaceInode("/run/selvedge/tenants/blue");
    at.kernel.removeNamespace("/run/selvedge/tenants/blue");
    expect(await first.repairs.pass()).toEqual(["+ router blue"]);
    expect(at.kernel.namespaceInode("/run/selvedge/tenants/blue")).toBe(inode);
    expect(await wounds(at, first)).toEqual([]);

    for (const { router } of first.core.hosts.values()) await router?.[Symbol.asyncDispose]();
    at.kernel.removeNamespace("/run/selvedge/tenants/blue");
    const second = await at.start();
    expect(at.kernel.namespaceInode("/run/selvedge/tenants/blue")).not.toBe(inode);
    await second.repairs.pass();
    expect(await wounds(at, second)).toEqual([]);
    await second.verbs.check(on("b1", "b"), patient());
    await second.verbs.check(on("g1", "g"), patient());
  }));

test("a tenant that is no longer configured keeps its router until its last pod is gone", () =>
  withNode(async (at) => {
    const first = await at.start();
    at.kernel.addNamespace("/run/netns/g1");
    await first.verbs.add(on("g1", "g"), patient());
    for (const { router } of first.core.hosts.values()) await router?.[Symbol.asyncDispose]();

    const without = await boot(at, sound(), parseConfig("networks: [{name: n}]"));
    expect([...without.core.hosts.keys()]).toEqual(["", "green"]);
    await without.repairs.pass();
    expect(await wounds(at, without)).toEqual([]);
    await without.verbs.del(on("g1", "g"), patient());
    expect((await without.repairs.pass()).filter((each) => each.includes("router"))).toEqual([]);
    without.repairs.mark(undefined);
    expect((await without.repairs.pass()).filter((each) => each.includes("router"))).toEqual(["- router green"]);
    expect([...without.core.hosts.keys()]).toEqual([""]);
    expect(await wounds(at, without)).toEqual([]);
  }));

test("a host port leads to the address that the node knows; the same port of another tenant is refused", () =>
  withNode(async (at) => {
    const node = await at.start();
    for (const id of ["b1", "g1"]) at.kernel.addNamespace(`/run/netns/${id}`);
    const ports = { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] } };
    await node.verbs.add(on("b1", "b", ports), patient());
    const refused = await node.verbs.add(on("g1", "g", ports), patient());
    expect(refused).toMatchObject({ error: { msg: "host port tcp 0.0.0.0:8080 is held by container b1" } });
    const [port] = (await allElements(at.kernel)).filter(({ set }) => set === "ports4");
    expect(port).toMatchObject({ key: ["tcp", "8080"], value: [expect.stringMatching(/^169\.254\./), "80"] });
    await node.repairs.pass();
    expect(await wounds(at, node)).toEqual([]);
  }));

const REFUSED: [what: string, network: string, more: object, msg: string][] = [
  [
    "ranges that come with a tenant's network",
    "b",
    { ipam: { type: "selvedge", ranges: [[{ subnet: "10.0.0.0/24" }]] } },
    'ipam.ranges: a network of tenant "blue" has addresses of a pool of the daemon\'s only',
  ],
  [
    "another tenant's pool",
    "b",
    { ipam: { type: "selvedge", pool: "green" } },
    'pool: "green" does not serve networks of tenant "blue"; pools that do: blue',
  ],
  [
    "a tenant's pool without the tenant",
    "n",
    { ipam: { type: "selvedge", pool: "green" } },
    'pool: "green" does not serve networks without a tenant; pools that do: default',
  ],
];
test.each(REFUSED)("refused before anything is made: %s", (_what, network, more, msg) =>
  withNode(async (at) => {
    const node = await at.start();
    at.kernel.addNamespace("/run/netns/x1");
    expect(await node.verbs.add(on("x1", network, more), patient())).toMatchObject({ error: { code: 7, msg } });
    await node.repairs.pass();
    expect(await wounds(at, node)).toEqual([]);
    expect(node.core.table.size).toBe(0);
  }),
);

test("a router is made with the tenant's first pods, also with two at once, and goes ten minutes after the last", async () => {
  const at = world();
  const node = await boot(at, sound(), CONFIG);
  const open = () => [...node.core.hosts.keys()];
  const pass = async (laterMs: number) => {
    at.nowMs += laterMs;
    node.repairs.mark(undefined);
    return (await node.repairs.pass()).filter((each) => each.includes("router"));
  };
  for (const id of ["b1", "b2", "r1"]) at.kernel.addNamespace(`/run/netns/${id}`);
  expect(open()).toEqual([""]);
  expect(at.kernel.namespaceInode("/run/selvedge/tenants/blue")).toBeUndefined();

  const pods = [on("b1", "b"), on("b2", "b"), on("r1", "r")];
  for (const { error } of await Promise.all(pods.map((pod) => node.verbs.add(pod, patient()))))
    expect(error).toBeUndefined();
  expect(open()).toEqual(["", "blue", "red"]);
  expect(await wounds(at, node)).toEqual([]);
  for (const pod of pods) expect((await node.verbs.check(pod, patient())).error).toBeUndefined();

  expect(await pass(3_600_000)).toEqual([]);
  for (const pod of pods) await node.verbs.del(pod, patient());
  expect(await pass(590_000)).toEqual([]);
  expect(open()).toEqual(["", "blue", "red"]);
  expect(await pass(20_000)).toEqual(["- router blue", "- router red"]);
  expect(await wounds(at, node)).toEqual([]);

  expect((await node.verbs.add(on("b1", "b"), patient())).error).toBeUndefined();
  expect(open()).toEqual(["", "blue"]);
  expect(await wounds(at, node)).toEqual([]);
});

test("a VLAN is refused where the network is one segment across nodes", async () => {
  const at = world();
  const { verbs, core } = await boot(
    at,
    sound(),
    parseConfig(`
pools: [{name: default, ranges: [[{subnet: 10.66.0.0/16}]]}, {name: blue, ranges: [[{subnet: 10.0.0.0/24}]]}]
tenants: [{name: blue}]
networks:
  - name: wide
    tenant: blue
    pool: blue
    attachment: bridge
    encapsulation: {type: vxlan, vni: 7, peers: [192.0.2.2]}
`),
  );
  at.kernel.addNamespace("/run/netns/w1");
  expect(await verbs.add(on("w1", "wide", { vlan: 5 }), patient())).toMatchObject({
    error: { code: 7, msg: "vlan: 5 is not possible on a network with encapsulation, whose frames have no VLAN" },
  });
  expect(await verbs.add(on("w1", "wide", { vlanTrunk: [{ id: 5 }] }), patient())).toMatchObject({
    error: {
      code: 7,
      msg: 'vlanTrunk: [{"id":5}] is not possible on a network with encapsulation, whose frames have no VLAN',
    },
  });
  expect(core.table.size).toBe(0);
  expect((await verbs.add(on("w1", "wide", { vlan: 0 }), patient())).error).toBeUndefined();
});
