/** What several pods share goes with the last of them, also when they all go at once. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { allElements } from "../support/owned.ts";
import { boot, patient, request, sound, world, wounds } from "./world.ts";

const PODS = ["c1", "c2", "c3"] as const;
const published = (hostPort: number) => ({
  attachment: "bridge",
  isGateway: true,
  runtimeConfig: { portMappings: [{ hostPort, containerPort: 80, protocol: "tcp" }] },
});

test("pods with host ports leave one bridge at once: nothing of them stays", async () => {
  const there = world();
  for (const pod of PODS) there.kernel.addNamespace(`/run/netns/${pod}`);
  const daemon = await boot(there, sound(), parseConfig("ipam: {coolDownSeconds: 0}"));
  const calls = PODS.map((pod, i) => request(pod, published(8_000 + i)));
  const elements = async () => (await allElements(there.kernel)).map(({ set }) => set);
  const before = await elements();

  for (const call of calls) expect((await daemon.verbs.add(call, patient())).error).toBeUndefined();
  expect((await elements()).filter((set) => set === "localnet")).toHaveLength(1);
  await Promise.all(calls.map(async (call) => expect((await daemon.verbs.del(call, patient())).error).toBeUndefined()));
  expect(await elements()).toEqual(before);
  expect(await wounds(there, daemon)).toEqual([]);
});
