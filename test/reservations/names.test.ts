/** A name keeps its addresses through whatever happens to its attachments; on a node in memory. */
import { expect, test } from "@jest/globals";
import type { Request } from "#lib/cni/types.ts";
import { parseConfig } from "#lib/config/config.ts";
import { boot, fuse, patient, type Running, request, sound, type World, world, wounds } from "../faults/world.ts";

const CONFIG = parseConfig(`
ipam: { coolDownSeconds: 0 }
pools:
  - { name: std, ranges: [[{ subnet: 10.1.0.0/24 }]] }
  - { name: kept, ranges: [[{ subnet: 10.2.0.0/24 }]], keepAddress: true }
  - { name: apps, ranges: [[{ subnet: 10.3.0.0/24 }]] }
defaultPool: std
networks: [{ name: kept, pool: kept }, { name: free, pool: kept, keepAddress: false }]
reservations:
  - { name: default/db-0, addresses: [10.1.0.50], mac: "02:00:00:00:00:50" }
  - { name: "vm:db", addresses: [10.1.0.60] }
poolRules:
  - { namespace: "app-*", pool: apps }
  - { labels: { tier: web }, pool: apps }
`);
const CAPABILITY = "io.kubernetes.cri.pod-annotations";

interface Node {
  readonly it: World;
  running: Running;
}

async function node(): Promise<Node> {
  const it = world();
  for (const id of ["a", "b", "c"]) it.kernel.addNamespace(`/run/netns/${id}`);
  return { it, running: await boot(it, sound(), CONFIG) };
}

type Config = Readonly<Record<string, unknown>>;
const of = (id: string, pod: string, config: Config = {}, args = ""): Request => {
  const [namespace, name] = pod.split("/");
  const ofPod = pod === "" ? "" : `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`;
  return request(id, config, { args: [ofPod, args].filter((each) => each !== "").join(";") });
};
const annotated = (annotations: Record<string, string>): Config => ({ runtimeConfig: { [CAPABILITY]: annotations } });

/** Its address and MAC, or the message of the refusal. */
async function add({ running }: Node, asked: Request): Promise<{ address: string; mac: string } | string> {
  const { result, error } = await running.verbs.add(asked, patient());
  if (error !== undefined) return error.msg;
  const { ips, interfaces } = JSON.parse(Buffer.from(result ?? []).toString()) as {
    ips: { address: string }[];
    interfaces: { mac: string; sandbox?: string }[];
  };
  return { address: ips[0]?.address ?? "", mac: interfaces.find((each) => each.sandbox)?.mac ?? "" };
}
const addressOf = async (at: Node, asked: Request): Promise<string> => {
  const added = await add(at, asked);
  return typeof added === "string" ? added : added.address;
};
const del = async ({ running }: Node, asked: Request) =>
  expect((await running.verbs.del(asked, patient())).error).toBeUndefined();

test("what the configuration declares is the pod's address and MAC, in whichever container", async () => {
  const at = await node();
  expect(await addressOf(at, of("a", "default/web-0"))).toBe("10.1.0.2/32");
  for (const id of ["b", "c"]) {
    expect(await add(at, of(id, "default/db-0"))).toEqual({ address: "10.1.0.50/32", mac: "02:00:00:00:00:50" });
    await del(at, of(id, "default/db-0"));
  }
});

const BY_NAME: [how: string, asked: Request][] = [
  ["CNI_ARGS", of("a", "default/vm-pod-x", {}, "RESERVATION=vm:db")],
  ["args.cni", of("a", "default/vm-pod-x", { args: { cni: { reservation: "vm:db" } } })],
  ["an annotation", of("a", "default/vm-pod-x", annotated({ "selvedge.dev/reservation": "vm:db" }))],
  ["no pod at all", of("a", "", {}, "RESERVATION=vm:db")],
];
test.each(BY_NAME)("another name than the pod's, by %s", async (_how, asked) => {
  expect(await addressOf(await node(), asked)).toBe("10.1.0.60/32");
});

test("the first ADD of a name keeps its address, over DEL and a new daemon, until it is released", async () => {
  const at = await node();
  const asked = (id: string) => of(id, "default/web-0", { network: "kept" });
  const first = await addressOf(at, asked("a"));
  await del(at, asked("a"));
  at.running = await boot(at.it, sound(), CONFIG);
  expect(await addressOf(at, of("b", "default/web-1", { network: "kept" }))).not.toBe(first);
  expect(await addressOf(at, asked("c"))).toBe(first);
  expect((await at.it.store.load()).reservations.map(({ name, pool, origin }) => [name, pool, origin])).toEqual([
    ["default/web-0", "kept", "kept"],
    ["default/web-1", "kept", "kept"],
  ]);
  expect(await wounds(at.it, at.running)).toEqual([]);
});

const KEPT: [what: string, config: Config, kept: boolean][] = [
  ["a pool that keeps", { network: "kept" }, true],
  ["a network that does not", { network: "free" }, false],
  ["a configuration list that does", { network: "free", keepAddress: true }, true],
  ["an annotation that does not", { network: "kept", ...annotated({ "selvedge.dev/keep-address": "false" }) }, false],
  ["an annotation that does", annotated({ "selvedge.dev/keep-address": "true" }), true],
  ["nobody who says so", {}, false],
];
test.each(KEPT)("kept or not: %s", async (_what, config, kept) => {
  const at = await node();
  await addressOf(at, of("a", "default/web-0", config));
  expect((await at.it.store.load()).reservations).toHaveLength(kept ? 1 : 0);
});

test("an ADD that fails keeps nothing, at whichever write or operation", async () => {
  for (const mishap of ["store", "kernel"] as const)
    for (let step = 1; ; step++) {
      const it = world();
      it.kernel.addNamespace("/run/netns/a");
      await boot(it, sound(), CONFIG);
      const guard = fuse(mishap, step);
      const at: Node = { it, running: await boot(it, guard, CONFIG) };
      const added = await add(at, of("a", "default/web-0", { network: "kept" }));
      if (!guard.happened) {
        expect(step).toBeGreaterThan(1);
        break;
      }
      if (typeof added !== "string") continue;
      at.running = await boot(it, sound(), CONFIG);
      await at.running.repairs.pass();
      expect((await it.store.load()).reservations).toEqual([]);
      expect(await wounds(it, at.running)).toEqual([]);
    }
});

test("a name that runs is refused to a second one, naming the first", async () => {
  const at = await node();
  await addressOf(at, of("a", "default/db-0"));
  expect(await addressOf(at, of("b", "default/db-0"))).toBe(
    "pool std: 10.1.0.50 is reserved for default/db-0, but held by container a eth0 (pod default/db-0)",
  );
});

test("a name whose namespace is gone moves at once, and its late DEL harms nobody", async () => {
  const at = await node();
  await addressOf(at, of("a", "default/db-0"));
  at.it.kernel.removeNamespace("/run/netns/a");
  expect(await addressOf(at, of("b", "default/db-0"))).toBe("10.1.0.50/32");
  await del(at, of("a", "default/db-0"));
  expect([...at.running.core.table].map(({ containerId }) => containerId)).toEqual(["b"]);
  expect(at.running.core.ipam.leases().map(({ containerId }) => containerId)).toEqual(["b"]);
  expect(await wounds(at.it, at.running)).toEqual([]);
});

const POOLS: [what: string, asked: Request, prefix: string][] = [
  ["the namespace fits the rule", of("a", "app-shop/x"), "10.3.0."],
  ["the label fits", of("a", "default/x", { args: { cni: { labels: [{ key: "tier", value: "web" }] } } }), "10.3.0."],
  ["nothing fits", of("a", "default/x", { args: { cni: { labels: [{ key: "tier", value: "db" }] } } }), "10.1.0."],
  ["a rule wins over the network", of("a", "app-shop/x", { network: "kept" }), "10.3.0."],
  ["a rule wins over the list's pool", of("a", "app-shop/x", { ipam: { type: "selvedge", pool: "kept" } }), "10.3.0."],
  ["the annotation wins", of("a", "app-shop/x", annotated({ "selvedge.dev/pool": "kept" })), "10.2.0."],
];
test.each(POOLS)("pool: %s", async (_what, asked, prefix) => {
  expect((await addressOf(await node(), asked)).startsWith(prefix)).toBe(true);
});

const REFUSED: [what: string, asked: Request, message: string][] = [
  [
    "another's address",
    of("a", "default/x", annotated({ "selvedge.dev/ips": "10.1.0.50" })),
    "pool std: 10.1.0.50 is reserved for default/db-0",
  ],
  [
    "an address outside the pool",
    of("a", "default/x", annotated({ "selvedge.dev/ips": "10.9.0.1" })),
    "pool std: 10.9.0.1 lies in none of its ranges (10.1.0.1-10.1.0.254)",
  ],
  [
    "a pod of another namespace",
    of("a", "evil/x", annotated({ "selvedge.dev/reservation": "default/db-0" })),
    'reservation: "default/db-0" is a name of another namespace than that of evil/x',
  ],
  [
    "a name that has nothing",
    of("a", "default/x", {}, "RESERVATION=vm:dc"),
    'reservation: nothing is reserved for "vm:dc"',
  ],
  ["no name to keep for", of("a", "", { network: "kept" }), "keepAddress: there is no name to keep the address for"],
  [
    "a pool that is none",
    of("a", "default/x", annotated({ "selvedge.dev/pool": "stdd" })),
    'pool: "stdd" is not a pool of the daemon\'s configuration; known: std, kept, apps',
  ],
  [
    "another MAC",
    of("a", "default/db-0", annotated({ "selvedge.dev/mac": "02:00:00:00:00:51" })),
    "mac: 02:00:00:00:00:51 was asked for, but default/db-0 has 02:00:00:00:00:50 reserved in pool std",
  ],
];
test.each(REFUSED)("refused: %s", async (_what, asked, message) => {
  const at = await node();
  expect(await addressOf(at, asked)).toBe(message);
  expect(await wounds(at.it, at.running)).toEqual([]);
});
