/** Whose pools lead to other nodes is a matter of the configuration of the moment: tenants come and go while the daemon runs. */
import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { type BlockRecord, blockKey } from "#lib/cluster/records.ts";
import { parseConfig } from "#lib/config/config.ts";
import { B, withB } from "./with-b.ts";
import { boot, type Running } from "./world.ts";

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

const block = (pool: string, at: string): [string, BlockRecord] => [
  blockKey(pool, prefix(at)),
  { pool, prefix: prefix(at), node: B.name, uid: B.uid, lent: {}, fixed: [], writes: 1 },
];
const BLOCKS = [block("default", "10.65.1.0/24"), block("blue", "10.66.1.0/24"), block("green", "10.66.1.0/24")];

/** Where the node is to have routes to by way of the other, once it has looked everywhere. */
async function routes({ core, repairs }: Running, config = core.config): Promise<string[]> {
  core.config = config;
  repairs.mark(undefined);
  await repairs.pass();
  return (core.cluster?.facts() ?? []).flatMap((fact) => (fact.type === "route" ? [fact.to] : [])).sort();
}

test("blocks of tenants that come after the daemon lead nowhere from the node itself", async () => {
  const daemon = await boot(await withB(BLOCKS), undefined, NEITHER);
  expect(await routes(daemon, tenants(NETWORK.blue, NETWORK.green))).toEqual(["10.65.1.0/24"]);
});

test("a pool that no tenant has any more leads to other nodes, and no more when one takes it again", async () => {
  const daemon = await boot(await withB(BLOCKS), undefined, tenants(NETWORK.blue, NETWORK.green));
  expect(await routes(daemon)).toEqual(["10.65.1.0/24"]);
  expect(await routes(daemon, tenants("{name: open, pool: blue}", NETWORK.green))).toEqual([
    "10.65.1.0/24",
    "10.66.1.0/24",
  ]);
  expect(await routes(daemon, tenants(NETWORK.blue, NETWORK.green))).toEqual(["10.65.1.0/24"]);
});
