/** What leads to other nodes stays while a daemon that has just started cannot tell yet what is to be there. */
import { expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import { type EndpointRecord, endpointKey } from "#lib/cluster/records.ts";
import { parseConfig } from "#lib/config/config.ts";
import { hostOf } from "#lib/daemon/core.ts";
import { wantRouter } from "#lib/daemon/want-router.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { B, withB } from "./with-b.ts";
import { boot } from "./world.ts";

const CONFIG = parseConfig(`
cluster: {store: {etcd: {endpoints: [http://etcd]}}, node: {name: a, addresses: [192.0.2.1]}}
pools: [{name: default, ranges: [[{subnet: 10.65.0.0/16}]]}, {name: blue, ranges: [[{subnet: 10.66.0.0/16}]]}]
networks: [{name: blue, tenant: blue, pool: blue, attachment: bridge, bridge: br0, stretch: {vni: 9}}]
tenants: [{name: blue}]
`);
const ENDPOINT: EndpointRecord = {
  network: "blue",
  node: B.name,
  uid: B.uid,
  mac: mac("0e:00:00:00:00:05"),
  addresses: [],
  sinceMs: 1,
};

test("a tenant's tunnels stay in its router until it is known which it needs", async () => {
  const there = await withB([[endpointKey(ENDPOINT), ENDPOINT]]);
  const { egress } = there.kernel;
  let isBroken = false;
  Object.assign(there.kernel, {
    async egress(to: Parameters<typeof egress>[0]) {
      if (isBroken) throw new SelvedgeError({ kind: "kernel", errno: 105, call: "route get" }, "ENOBUFS");
      return egress(to);
    },
  });
  const started = async () => {
    const daemon = await boot(there, undefined, CONFIG);
    await wantRouter(daemon.core, "blue");
    const tunnels = async () => {
      daemon.repairs.mark(undefined);
      await daemon.repairs.pass();
      const owned = await hostOf(daemon.core, "blue").kernel.owned();
      return owned.flatMap((fact) => (fact.type === "link" && fact.kind === "vxlan" ? [fact.name] : []));
    };
    return { daemon, tunnels };
  };
  const before = await (await started()).tunnels();
  expect(before).toHaveLength(1);
  isBroken = true;
  const { tunnels } = await started();
  expect(await tunnels()).toEqual(before);
  isBroken = false;
  expect(await tunnels()).toEqual(before);
});
