/** A network that draws from several pools: each family for itself, in order, and back when something is free again. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { boot, patient, type Running, request, sound, type World, world, wounds } from "../faults/world.ts";

const configured = (keep: boolean) =>
  parseConfig(`
ipam: {coolDownSeconds: 0}
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: small, ranges: [[{subnet: 10.1.0.0/30}], [{subnet: "fd01::/64"}]]}
  - {name: large, ranges: [[{subnet: 10.2.0.0/24}], [{subnet: "fd02::/64"}]], keepAddress: ${keep}}
networks: [{name: n, pools: [small, large]}]
reservations: [{name: default/db-0, pool: large, addresses: [10.2.0.77]}]
`);
const PODS = ["c1", "c2", "c3", "c4"];

async function node(keep = false): Promise<{ there: World; daemon: Running }> {
  const there = world();
  for (const pod of PODS) there.kernel.addNamespace(`/run/netns/${pod}`);
  return { there, daemon: await boot(there, sound(), configured(keep)) };
}
const on = (id: string, more: object = {}, args = "") => request(id, { network: "n", ...more }, { args });
async function addressesOf({ verbs }: Running, ...asked: Parameters<typeof on>): Promise<string[]> {
  const { result, error } = await verbs.add(on(...asked), patient());
  if (error !== undefined) throw new Error(error.msg);
  const { ips } = JSON.parse(Buffer.from(result ?? []).toString()) as { ips: { address: string }[] };
  return ips.map(({ address }) => address.replace(/\/.*/, ""));
}

test("when the first pool has no IPv4 address left, the second gives it; IPv6 still comes from the first", async () => {
  const { there, daemon } = await node();
  expect(await addressesOf(daemon, "c1")).toEqual(["10.1.0.2", "fd01::2"]);
  expect(await addressesOf(daemon, "c2")).toEqual(["10.2.0.2", "fd01::3"]);
  for (const pod of ["c1", "c2"]) expect((await daemon.verbs.check(on(pod), patient())).error).toBeUndefined();
  expect(await wounds(there, daemon)).toEqual([]);

  const next = await boot(there, sound(), configured(false));
  expect(await wounds(there, next)).toEqual([]);
  await next.verbs.del(on("c1"), patient());
  expect(await addressesOf(next, "c3")).toEqual(["10.1.0.2", "fd01::4"]);
  for (const pod of PODS) await next.verbs.del(on(pod), patient());
  expect(next.core.ipam.leases()).toEqual([]);
  expect(await wounds(there, next)).toEqual([]);
});

test("an address that is asked for, or reserved for the name, comes from the pool that it lies in", async () => {
  const { there, daemon } = await node();
  expect(
    await addressesOf(daemon, "c1", { runtimeConfig: { ips: ["10.2.0.9"] }, capabilities: { ips: true } }),
  ).toEqual(["10.2.0.9", "fd01::2"]);
  const pod = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=db-0";
  expect(await addressesOf(daemon, "c2", {}, pod)).toEqual(["10.2.0.77", "fd01::3"]);
  expect(await wounds(there, daemon)).toEqual([]);
  const strange = await daemon.verbs.add(
    on("c3", { runtimeConfig: { ips: ["10.9.0.9"] }, capabilities: { ips: true } }),
    patient(),
  );
  expect(strange.error?.msg).toContain("pool small: 10.9.0.9 lies in none of its ranges");
});

test("what a pool of the two keeps for a name is kept in that pool", async () => {
  const { there, daemon } = await node(true);
  const pod = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0";
  await addressesOf(daemon, "c1");
  expect(await addressesOf(daemon, "c2", {}, pod)).toEqual(["10.2.0.2", "fd01::3"]);
  for (const each of ["c1", "c2"]) await daemon.verbs.del(on(each), patient());
  expect(await addressesOf(daemon, "c3", {}, pod)).toEqual(["10.2.0.2", "fd01::4"]);
  expect(await wounds(there, daemon)).toEqual([]);
});

test("what a network keeps for a name is kept in both families, where both come of one pool", async () => {
  const there = world();
  for (const pod of PODS) there.kernel.addNamespace(`/run/netns/${pod}`);
  const config = parseConfig(`
ipam: {coolDownSeconds: 0}
defaultPool: one
pools:
  - {name: one, ranges: [[{subnet: 10.1.0.0/24}], [{subnet: "fd01::/64"}]]}
  - {name: two, ranges: [[{subnet: 10.2.0.0/24}], [{subnet: "fd02::/64"}]]}
networks: [{name: n, pools: [one, two], keepAddress: true}]
`);
  const daemon = await boot(there, sound(), config);
  const named = (name: string) => `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name}`;
  expect(await addressesOf(daemon, "c1", {}, named("web-0"))).toEqual(["10.1.0.2", "fd01::2"]);
  expect(daemon.core.ipam.reservations().map(({ addresses }) => addresses)).toEqual([["10.1.0.2", "fd01::2"]]);
  await daemon.verbs.del(on("c1"), patient());
  expect(await wounds(there, daemon)).toEqual([]);

  const next = await boot(there, sound(), config);
  expect(await addressesOf(next, "c2", {}, named("web-1"))).toEqual(["10.1.0.3", "fd01::3"]);
  expect(await addressesOf(next, "c3", {}, named("web-0"))).toEqual(["10.1.0.2", "fd01::2"]);
  expect(await wounds(there, next)).toEqual([]);
});

test("when all are used up, the refusal tells of every one, nothing is held, and STATUS says the same", async () => {
  const { there, daemon } = await node();
  const { ipam } = daemon.core;
  for (let n = 0; n < 252; n++)
    ipam.allocate({ key: { containerId: `x${n}`, ifname: "eth0" }, pool: "large", families: [4] });
  await addressesOf(daemon, "c1");
  const refused = await daemon.verbs.add(on("c2"), patient());
  expect(refused.error?.code).toBe(11);
  expect(refused.error?.msg).toMatch(
    /^pool small \(IPv4\): 1 of 1 used.*; pool large \(IPv4\): 252 of 253 used.*1 reserved/,
  );
  expect(ipam.leases("small").map(({ containerId }) => containerId)).toEqual(["c1", "c1"]);
  const status = await daemon.verbs.status(on("c2"), patient());
  expect(status.error?.msg).toMatch(/^pool small \(IPv4\).*; pool large \(IPv4\)/);
  expect(there.kernel.namespaceInode("/run/netns/c2")).toBeDefined();
});
