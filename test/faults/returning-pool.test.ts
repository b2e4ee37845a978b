/** Ranges that come with a configuration are the node's to know only while somebody has an address of them. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { boot, patient, type Running, request, sound, world, wounds } from "./world.ts";

const RANGES = { ipam: { ranges: [[{ subnet: "10.5.0.0/24" }]] } };

type Pass = (daemon: Running, add: () => Promise<void>) => Promise<void>;
const PASSES: readonly [name: string, pass: Pass][] = [
  [
    "before",
    async ({ repairs }, add) => {
      await repairs.pass();
      await add();
    },
  ],
  [
    "during",
    async ({ repairs }, add) => {
      await Promise.all([repairs.pass(), add()]);
    },
  ],
];

test.each(PASSES)("a pool that a pass %s the next ADD has forgotten is known to the node with it", async (_, pass) => {
  const there = world();
  for (const pod of ["c1", "c2"]) there.kernel.addNamespace(`/run/netns/${pod}`);
  const daemon = await boot(there, sound(), parseConfig("ipam: {coolDownSeconds: 0}"));
  const { verbs, repairs } = daemon;
  const tables = async () =>
    (await there.kernel.owned()).filter((fact) => fact.type === "table" && fact.text.includes("10.5.0.0/24"));

  expect((await verbs.add(request("c1", RANGES), patient())).error).toBeUndefined();
  expect(await tables()).toHaveLength(1);
  expect((await verbs.del(request("c1", RANGES), patient())).error).toBeUndefined();
  repairs.mark(undefined);
  await pass(daemon, async () => {
    expect((await verbs.add(request("c2", RANGES), patient())).error).toBeUndefined();
  });
  expect(await tables()).toHaveLength(1);
  expect((await verbs.check(request("c2", RANGES), patient())).error).toBeUndefined();
  expect(await wounds(there, daemon)).toEqual([]);
});

test("there are passes", () => expect(PASSES.length).toBe(2));
