/** The firewall speaks of the node's own addresses among pods, which a node that is new in its cluster has a moment later. */
import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import { withB } from "./with-b.ts";
import { boot } from "./world.ts";

const CONFIG = parseConfig(`
cluster:
  store: {etcd: {endpoints: [http://etcd]}}
  node: {name: a, addresses: [192.0.2.1]}
  egress: [{name: blue, addresses: [192.0.2.200], pods: [{tenant: blue}]}]
pools: [{name: default, ranges: [[{subnet: 10.65.0.0/16}]]}, {name: blue, ranges: [[{subnet: 10.66.0.0/16}]]}]
networks: [{name: blue, tenant: blue, pool: blue}]
tenants: [{name: blue}]
`);

test("as soon as it has them its tables are of them, and nothing else is to do", async () => {
  const { core, repairs } = await boot(await withB([]), undefined, CONFIG);
  repairs.mark(undefined);
  await repairs.pass();
  expect(await repairs.pass()).toEqual([]);
  core.cluster?.own([address("10.65.0.1")]);
  expect(await repairs.pass()).toContain("~ table inet selvedge");
  expect(await repairs.plan()).toEqual([]);
  expect(await repairs.pass()).toEqual([]);
});
