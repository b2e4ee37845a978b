/** Who gets which virtual function, on a node in memory. */
import { expect, test } from "@jest/globals";
import type { Result } from "#lib/cni/types.ts";
import { parseConfig } from "#lib/config/config.ts";
import { makeFunctions, offersOf } from "#lib/daemon/device-pools.ts";
import { shown } from "#lib/daemon/shown.ts";
import { plugCard } from "../faults/card.ts";
import { boot, patient, type Running, request, sound, type World, world } from "../faults/world.ts";

const CONFIG = parseConfig(`
sriov: {pools: [{name: fast, physical: [ens1], virtualFunctions: 3}]}
networks:
  - {name: fast, attachment: sriov, options: {devicePool: fast}}
  - {name: both, attachment: sriov, options: {devicePool: fast}, planes: [{network: fast, interface: net2}]}
  - {name: other, attachment: sriov, options: {devicePool: fats}}
`);

async function started(): Promise<{ node: World; running: Running }> {
  const node = world();
  plugCard(node.kernel);
  for (const id of ["a", "b", "c", "d"]) node.kernel.addNamespace(`/run/netns/${id}`);
  return { node, running: await boot(node, sound(), CONFIG) };
}

/** Addresses of the functions that an ADD got, or what it was refused with. */
async function asked({ verbs }: Running, id: string, network = "fast"): Promise<string[] | string> {
  const { error, result } = await verbs.add(request(id, { network }), patient());
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
