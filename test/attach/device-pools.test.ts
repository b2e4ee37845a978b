/** Who gets which virtual function, on a node in memory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { Result } from "#lib/cni/types.ts";
import { type Config, parseConfig } from "#lib/config/config.ts";
import { makeFunctions, offersOf } from "#lib/daemon/device-pools.ts";
import { shown } from "#lib/daemon/shown.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { fakePodResources, podWith } from "#lib/k8s/device-plugin/fake-pod-resources.ts";
import { plugCard } from "../faults/card.ts";
import { boot, patient, type Running, request, sound, type World, world, wounds } from "../faults/world.ts";

const CONFIG = parseConfig(`
sriov: {pools: [{name: fast, physical: [ens1], virtualFunctions: 3}]}
networks:
  - {name: fast, attachment: sriov, options: {devicePool: fast}}
  - {name: both, attachment: sriov, options: {devicePool: fast}, planes: [{network: fast, interface: net2}]}
  - {name: other, attachment: sriov, options: {devicePool: fats}}
`);

async function started(config = CONFIG): Promise<{ node: World; running: Running }> {
  const node = world();
  plugCard(node.kernel);
  for (const id of ["a", "b", "c", "d"]) node.kernel.addNamespace(`/run/netns/${id}`);
  return { node, running: await boot(node, sound(), config) };
}

/** Addresses of the functions that an ADD got, or what it was refused with. */
async function asked({ verbs }: Running, id: string, network = "fast", more: object = {}): Promise<string[] | string> {
  const args = `K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${id}`;
  const { error, result } = await verbs.add(request(id, { network, ...more }, { args }), patient());
  if (error !== undefined) return error.msg;
  return (JSON.parse(Buffer.from(result ?? []).toString()) as Result).interfaces.map(({ pciID = "" }) => pciID);
}

test("ADDs at the same time get different functions, and the one too many is refused", async () => {
  const { running } = await started();
  const answers = await Promise.all(["a", "b", "c", "d"].map((id) => asked(running, id)));
  expect(
    answers
      .filter((answer) => typeof answer !== "string")
      .flat()
      .sort(),
  ).toEqual(["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2"]);
  expect(answers.filter((answer) => typeof answer === "string")).toEqual([
    "devicePool: none of the 3 virtual functions of ens1 is free",
  ]);
  expect((await running.verbs.del(request("a", { network: "fast" }), patient())).error).toBeUndefined();
  expect(await asked(running, "d")).toHaveLength(1);
});

const ELSEWHERE = { ipam: { type: "fake-ipam" } };

/** Another IPAM plugin that answers its first ADD when it is let: `at` resolves when it has been asked. */
function holdUp(node: World): { at: Promise<void>; let: () => void } {
  const [at, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { delegate } = node.others;
  let held = false;
  const slow = async (delegation: Parameters<typeof delegate>[0]) => {
    if (delegation.verb === "ADD" && !held) {
      held = true;
      at.resolve();
      await answer.promise;
    }
    return delegate(delegation);
  };
  Object.assign(node.others, { delegate: slow });
  return { at: at.promise, let: answer.resolve };
}

test.each([
  ["fast", ["0000:3b:02.0"], "0000:3b:02.1"],
  ["both", ["0000:3b:02.0", "0000:3b:02.1"], "0000:3b:02.2"],
])(
  "functions of a pod on %s are nobody else's while another plugin is asked for its addresses",
  async (network, first, second) => {
    const { node, running } = await started();
    const plugin = holdUp(node);
    const waiting = asked(running, "a", network, ELSEWHERE);
    await plugin.at;
    expect(await asked(running, "b", "fast", ELSEWHERE)).toEqual([second]);
    plugin.let();
    expect(await waiting).toEqual(first);
    expect(await wounds(node, running)).toEqual([]);
  },
);

test("what was only claimed is not taken back: the function is as it was, and free", async () => {
  const { node, running } = await started();
  node.others.failNext("ADD", 11);
  expect(await asked(running, "a", "both", ELSEWHERE)).toBe("ADD was told to fail");
  expect(await wounds(node, running)).toEqual([]);
  expect(await asked(running, "b", "both")).toEqual(["0000:3b:02.0", "0000:3b:02.1"]);
});

test("an ADD that has been done is not refused for what its log line could not be told", async () => {
  const { node, running } = await started();
  const { find } = node.kernel.devices;
  const [first] = (await node.kernel.devices.physicalFunctions())[0]?.virtual ?? [];
  let isReady = false;
  Object.assign(node.kernel.devices, {
    find: async (wish: Parameters<typeof find>[0]) => {
      isReady ||= [...running.core.table].some(({ phase }) => phase === "ready");
      if (isReady) throw new SelvedgeError({ kind: "kernel", call: "readdir", errno: 5 }, "I/O error");
      return find(wish);
    },
  });
  expect(await asked(running, "a")).toEqual([first?.pci]);
  expect(node.log.findLast(({ event }) => event === "attached")).not.toHaveProperty("devices");
});

test("what a pod has of the hardware is logged and listed", async () => {
  const { node, running } = await started();
  await asked(running, "a");
  expect(node.log.findLast(({ event }) => event === "attached")).toMatchObject({ devices: ["0000:3b:02.0", "irdma0"] });
  const [record] = running.core.table;
  if (record === undefined) throw new Error("nothing is attached");
  expect(await shown(running.core, record)).toMatchObject({ devices: ["0000:3b:02.0", "irdma0"] });
});

test("two planes of one pod get two functions", async () => {
  const { running } = await started();
  expect(await asked(running, "a", "both")).toEqual(["0000:3b:02.0", "0000:3b:02.1"]);
});

const RESOURCE = "selvedge.dev/fast";
const GIVEN: readonly (readonly [
  title: string,
  given: Readonly<Record<string, string[]>>,
  network: string,
  got: string[],
])[] = [
  ["that it was given", { a: ["0000:3b:02.2"] }, "fast", ["2"]],
  ["those that it was given, one for each plane", { a: ["0000:3b:02.2", "0000:3b:02.1"] }, "both", ["2", "1"]],
  ["that it was given, and another one for the plane too many", { a: ["0000:3b:02.1"] }, "both", ["1", "0"]],
  ["that nobody was given, having none", { b: ["0000:3b:02.0"] }, "fast", ["1"]],
];
test.each(GIVEN)("of what kubelet gives to pods, a pod has %s", async (_, given, network, got) => {
  await using kubelet = await playKubelet(given);
  const { running } = await started(kubelet.config);
  expect(await asked(running, "a", network)).toEqual(got.map((index) => `0000:3b:02.${index}`));
});

test("there are pods that were given functions", () => expect(GIVEN.length).toBe(4));

test("a function that kubelet gave to a pod and another one has is waited for: no other will do", async () => {
  await using kubelet = await playKubelet({ a: ["0000:3b:02.0"] });
  const { running } = await started(kubelet.config);
  const taken = { runtimeConfig: { deviceID: "0000:3b:02.0" } };
  expect(await asked(running, "b", "fast", taken)).toEqual(["0000:3b:02.0"]);
  expect(await asked(running, "a")).toBe("devicePool: 0000:3b:02.0 is lent to container b (shop/b), interface eth0");
  expect((await running.verbs.del(request("b", { network: "fast" }), patient())).error).toBeUndefined();
  expect(await asked(running, "a")).toEqual(["0000:3b:02.0"]);
});

/** Kubelet with the pool's functions that pods of the namespace `shop` were given. */
async function playKubelet(given: Readonly<Record<string, string[]>>): Promise<AsyncDisposable & { config: Config }> {
  const directory = await mkdtemp(join(tmpdir(), "kubelet-"));
  const pods = Object.entries(given).map(([pod, ids]) => podWith(`shop/${pod}`, { [RESOURCE]: ids }));
  const server = await fakePodResources(join(directory, "pod-resources/kubelet.sock"), pods);
  return {
    config: { ...CONFIG, sriov: { ...CONFIG.sriov, kubeletDir: join(directory, "device-plugins") } },
    async [Symbol.asyncDispose]() {
      server[Symbol.dispose]();
      await rm(directory, { recursive: true });
    },
  };
}

test("a pool that is not configured is refused with those that are", async () => {
  const { running } = await started();
  expect(await asked(running, "a", "other")).toBe('devicePool: "fats" is not a pool of the node; there is fast');
});

test("kubelet is offered those that pods have too, and not what the node lost", async () => {
  const { node, running } = await started();
  const [pool] = CONFIG.sriov.pools;
  if (pool === undefined) throw new Error("no pool");
  await asked(running, "a");
  node.kernel.meddle(undefined, { do: "delete-link", link: "ens1v2" });
  expect((await offersOf(running.core, pool)).map(({ id, isHealthy }) => [id, isHealthy])).toEqual([
    ["0000:3b:02.0", true],
    ["0000:3b:02.1", true],
    ["0000:3b:02.2", false],
  ]);
});

test("more functions than the card can have are refused, and the daemon goes on", async () => {
  const { node, running } = await started();
  const pools = CONFIG.sriov.pools.map((pool) => ({ ...pool, virtualFunctions: 9 }));
  await makeFunctions({ ...running.core, config: { ...CONFIG, sriov: { ...CONFIG.sriov, pools } } });
  expect(node.log.at(-1)).toEqual({
    event: "devices-refused",
    pool: "fast",
    message: "ens1 can have 8 virtual functions at most, not 9",
  });
});
