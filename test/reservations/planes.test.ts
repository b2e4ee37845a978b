/** Reserved and kept addresses of a pod that is on several planes. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { boot, patient, request, sound, world } from "../faults/world.ts";

const CONFIG = parseConfig(`
pools:
  - {name: std, ranges: [[{subnet: 10.1.0.0/24}]], keepAddress: true}
  - {name: apps, ranges: [[{subnet: 10.2.0.0/24}]]}
  - {name: media, ranges: [[{subnet: 10.3.0.0/24}]]}
defaultPool: std
networks: [{name: all, planes: [media]}, {name: media, pool: media}, {name: same, planes: [other]}, {name: other}]
poolRules:
  - {namespace: app, pool: apps}
  - {namespace: shop, network: media, pool: apps}
reservations: [{name: db/db-0, pool: media, addresses: [10.3.0.50]}]
`);

/** The pod's addresses in the order of its interfaces, or the message of the refusal. */
async function addressesOf(pod: string, network = "all"): Promise<string[] | string> {
  const node = world();
  node.kernel.addNamespace("/run/netns/a");
  const { verbs } = await boot(node, sound(), CONFIG);
  const [namespace, name] = pod.split("/");
  const args = `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`;
  const reply = await verbs.add(request("a", { network }, { args }), patient());
  if (reply.error !== undefined) return reply.error.msg;
  const { ips } = JSON.parse(Buffer.from(reply.result ?? []).toString()) as { ips: { address: string }[] };
  return ips.map(({ address }) => address);
}

const PODS: [what: string, pod: string, addresses: string[]][] = [
  ["a rule for any network means the pod's own", "app/x", ["10.2.0.2/32", "10.3.0.2/32"]],
  ["a rule for a network means its plane", "shop/x", ["10.1.0.2/32", "10.2.0.2/32"]],
  ["what is reserved in a plane's pool is the plane's", "db/db-0", ["10.1.0.2/32", "10.3.0.50/32"]],
];
test.each(PODS)("%s", async (_what, pod, addresses) => expect(await addressesOf(pod)).toEqual(addresses));

test("two planes cannot both have what one pool keeps for a name", async () => {
  expect(await addressesOf("shop/x", "same")).toBe(
    "pool std: 10.1.0.2 is reserved for shop/x, but held by container a eth0 (pod shop/x)",
  );
});
