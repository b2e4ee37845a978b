/** Whose pools lead to other nodes is a matter of the configuration of the moment: tenants come and go while the daemon runs. */
import { expect, test } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import { type BlockRecord, blockKey, type NodeRecord, nodeKey } from "#lib/cluster/records.ts";
import { parseConfig } from "#lib/config/config.ts";
import { space } from "#lib/store/shared-memory.ts";
import type { Change } from "#lib/store/store.ts";
import { boot, type Running, type World, world } from "./world.ts";

const RANGES = "ranges: [[{subnet: 10.66.0.0/16}]]";
const ALONE = `
cluster: {store: {etcd: {endpoints: [http://etcd]}}, node: {name: a, addresses: [192.0.2.1]}}
pools: [{name: default, ranges: [[{subnet: 10.65.0.0/16}]]}, {name: blue, ${RANGES}}, {name: green, ${RANGES}}]
networks: [{name: std}]`;
const NETWORK = { blue: "{name: blue, tenant: blue, pool: blue}", green: "{name: green, tenant: green, pool: green}" };
const tenants = (...networks: readonly string[]) =>
  parseConfig(
    ALONE.replace("networks: [{name: std}]", `networks: [{name: std}, ${networks.join()}]`).concat(
      "\ntenants: [{name: blue}, {name: green}]",
    ),
  );
const NEITHER = parseConfig(ALONE.replace(`, {name: blue, ${RANGES}}, {name: green, ${RANGES}}`, ""));

const B: NodeRecord = {
  name: "b",
  uid: "uid-b",
  addresses: [address("192.0.2.2")],
  segments: [prefix("192.0.2.0/24")],
  ways: ["direct"],
  tunnelAddresses: [],
  tunnelMac: mac("02:00:00:00:00:02"),
  echoPort: 4_796,
  version: "test",
};
const block = (pool: string, at: string): [string, BlockRecord] => [
  blockKey(pool, prefix(at)),
  { pool, prefix: prefix(at), node: "b", uid: "uid-b", lent: {}, fixed: [], writes: 1 },
];
const BLOCKS = [block("default", "10.65.1.0/24"), block("blue", "10.66.1.0/24"), block("green", "10.66.1.0/24")];

/** Node a, which has heard of b before. */
async function there(): Promise<World> {
  const it = world(space().open());
  it.kernel.reached.set(address("192.0.2.2"), {
    to: address("192.0.2.2"),
    link: "eth0",
    source: address("192.0.2.1"),
    mtuBytes: 1_500,
  });
  const known: [string, object][] = [[nodeKey("b"), B], ...BLOCKS];
  await it.store.commit(
    known.map(([name, value]): Change => ({ put: "shared", value: { name, value: JSON.stringify(value) } })),
  );
  return it;
}

/** Where the node is to have routes to by way of the other, once it has looked everywhere. */
async function routes({ core, repairs }: Running, config = core.config): Promise<string[]> {
  core.config = config;
  repairs.mark(undefined);
  await repairs.pass();
  return (core.cluster?.facts() ?? []).flatMap((fact) => (fact.type === "route" ? [fact.to] : [])).sort();
}

test("blocks of tenants that come after the daemon lead nowhere from the node itself", async () => {
  const daemon = await boot(await there(), undefined, NEITHER);
  expect(await routes(daemon, tenants(NETWORK.blue, NETWORK.green))).toEqual(["10.65.1.0/24"]);
});

test("a pool that no tenant has any more leads to other nodes, and no more when one takes it again", async () => {
  const daemon = await boot(await there(), undefined, tenants(NETWORK.blue, NETWORK.green));
  expect(await routes(daemon)).toEqual(["10.65.1.0/24"]);
  expect(await routes(daemon, tenants("{name: open, pool: blue}", NETWORK.green))).toEqual([
    "10.65.1.0/24",
    "10.66.1.0/24",
  ]);
  expect(await routes(daemon, tenants(NETWORK.blue, NETWORK.green))).toEqual(["10.65.1.0/24"]);
});
