/** CHECK and STATUS, which change nothing, on a node in memory. */
import { expect, test } from "@jest/globals";
import type { Request } from "#lib/cni/types.ts";
import { parseConfig } from "#lib/config/config.ts";
import { boot, patient, request, sound, world } from "../faults/world.ts";

async function node(text = "{}") {
  const there = world();
  there.kernel.addNamespace("/run/netns/a");
  return { there, ...(await boot(there, sound(), parseConfig(text))) };
}

test.each([
  ["addresses of our own", {}],
  ["addresses of another plugin", { ipam: { type: "fake-ipam" } }],
])("a list that has been upgraded since the ADD can be checked: %s", async (_name, ipam) => {
  const { verbs, there } = await node();
  const asked = (cniVersion: string) => request("a", { cniVersion, ...ipam });
  expect((await verbs.add(asked("0.3.1"), patient())).error).toBeUndefined();
  expect((await verbs.check(asked("1.0.0"), patient())).error).toBeUndefined();
  const delegated = "ipam" in ipam ? ["ADD", "CHECK"] : [];
  expect(there.others.calls.map(({ verb }) => verb)).toEqual(delegated);
});

test("CHECK of one interface does not read the annotations of another", async () => {
  const { verbs } = await node();
  const annotations = { "selvedge.dev/mac": "none", "net1.selvedge.dev/mac": "02:00:00:00:00:01" };
  const runtimeConfig = { "io.kubernetes.cri.pod-annotations": annotations };
  const of = (ifname: string): Request => request("a", { runtimeConfig }, { ifname });
  expect((await verbs.add(of("net1"), patient())).error).toBeUndefined();
  expect((await verbs.check(of("net1"), patient())).error).toBeUndefined();
  expect((await verbs.check(of("eth0"), patient())).error?.msg).toContain("selvedge.dev/mac");
});

const FULL = "pools: [{name: default, ranges: [[{subnet: 10.1.0.0/30}]]}]";

test.each([
  ["an attachment without addresses needs none to be free", { attachment: "loopback" }, undefined],
  ["any other does", {}, "pool default: 1 of 1 used"],
])("STATUS: %s", async (_name, config, message) => {
  const { verbs, core } = await node(FULL);
  core.ipam.allocate({ key: { containerId: "x", ifname: "eth0" }, pool: "default" });
  const { error } = await verbs.status(request("", config), patient());
  if (message === undefined) expect(error).toBeUndefined();
  else expect(error?.msg).toContain(message);
});
