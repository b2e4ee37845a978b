/** Routers of tenants that nobody is on end, and nobody who comes or goes meanwhile is hurt by it. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { wantRouter } from "#lib/daemon/want-router.ts";
import { boot, patient, request, sound, world, wounds } from "./world.ts";

const CONFIG = parseConfig(`
ipam: {coolDownSeconds: 0}
networks: [{name: red, tenant: red, pool: red}, {name: blue, tenant: blue, pool: blue}]
pools:
  - {name: default, ranges: [[{subnet: 10.65.0.0/16}]]}
  - {name: red, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: blue, ranges: [[{subnet: 10.66.0.0/16}]]}
tenants: [{name: red}, {name: blue}]
`);
/** Routers are kept for ten minutes after their last pod. */
const LONG_MS = 601_000;

/** A node on which a pod of each tenant has come. */
async function crowded() {
  const there = world();
  const daemon = await boot(there, sound(), CONFIG);
  for (const tenant of ["red", "blue"]) {
    there.kernel.addNamespace(`/run/netns/${tenant}`);
    expect((await daemon.verbs.add(request(tenant, { network: tenant }), patient())).error).toBeUndefined();
  }
  const names = () => [...daemon.core.hosts.keys()].toSorted();
  const pass = () => {
    daemon.repairs.mark(undefined);
    return daemon.repairs.pass();
  };
  const leave = async (tenant: string) =>
    expect((await daemon.verbs.del(request(tenant, { network: tenant }), patient())).error).toBeUndefined();
  return { there, daemon, core: daemon.core, names, pass, leave };
}

test.each(["red", "blue"])(
  "of two that idle, the one that is wanted while the other is closed stays: %s",
  async (other) => {
    const { there, daemon, core, names, pass, leave } = await crowded();
    for (const tenant of ["red", "blue"]) await leave(tenant);
    there.nowMs += LONG_MS;
    // The first that is closed calls the other one back.
    for (const [name, { connections }] of core.hosts) {
      if (name === "" || name === other) continue;
      const { settled } = connections;
      connections.settled = async () => {
        await wantRouter(core, other);
        await settled();
      };
    }
    await pass();
    expect(names()).toContain(other);
    expect(core.routers.names()).toEqual([...core.hosts.keys()].filter((name) => name !== ""));
    expect((await daemon.verbs.add(request(other, { network: other }), patient())).error).toBeUndefined();
    await leave(other);
    expect(await wounds(there, daemon)).toEqual([]);
  },
);

test("one that is wanted while it is closed itself stands", async () => {
  const { there, daemon, core, names, pass, leave } = await crowded();
  await leave("red");
  there.nowMs += LONG_MS;
  const red = core.hosts.get("red");
  if (red === undefined) throw new Error("the router of red is not open");
  red.connections.settled = () => wantRouter(core, "red");
  await pass();
  expect(names()).toEqual(["", "blue", "red"]);
  expect(core.routers.names().toSorted()).toEqual(["blue", "red"]);
  await leave("blue");
  expect(await wounds(there, daemon)).toEqual([]);
});

test("a pod leaves though the router of its tenant is gone", async () => {
  const { there, core, leave } = await crowded();
  core.hosts.delete("red");
  core.routers.remove("red");
  await leave("red");
  expect([...core.table].map(({ containerId }) => containerId)).toEqual(["blue"]);
  expect(there.log.filter(({ event }) => event === "failed")).toEqual([]);
});
