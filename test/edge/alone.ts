/** One node that is alone, with a router of VyOS 1.4 on its network, in both families. */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { type ClusterNode, startNode } from "../cluster/node.ts";
import { namespaceOf } from "../cluster/place.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { MACHINE } from "../support/vyos/machine.ts";
import { makeAccess } from "./access.ts";
import { API, type RunningRouter, startRouter } from "./router.ts";

/** For `needing`. */
export const ALONE = [
  "root",
  { program: "ip" },
  { program: "openssl" },
  ...MACHINE,
  { file: grammarFile("1.4") },
] as const;

const NODE = namespaceOf("a");
/** Of its namespace. */
export const ROUTER = "edge-alone";
/** By IPv4 and by IPv6. */
export const ROUTER_HOSTS = ["192.0.2.254", "2001:db8:1::fe"] as const;
export const NODE_HOSTS = ["192.0.2.1", "2001:db8:1::1"] as const;
const LENGTHS = [24, 64] as const;

export interface Alone extends AsyncDisposable {
  readonly node: ClusterNode;
  readonly router: RunningRouter;
  /** The daemon starts again with other settings of the router. */
  reconfigure(router: JsonObject): Promise<void>;
}

/** @param settings of the router @param edge besides @param config laid over the whole of the node's */
export async function makeAlone(settings: JsonObject, edge: JsonObject = {}, config: JsonObject = {}): Promise<Alone> {
  await using stack = new AsyncDisposableStack();
  const access = stack.use(makeAccess());
  for (const space of [ROUTER, NODE]) {
    await makeNamespace(space);
    stack.defer(() => removeNamespace(space));
  }
  await ip(ROUTER, `link add lan type veth peer name eth0 netns ${NODE}`);
  for (const [space, link, hosts] of [
    [ROUTER, "lan", ROUTER_HOSTS],
    [NODE, "eth0", NODE_HOSTS],
  ] as const) {
    for (const [i, host] of hosts.entries()) await ip(space, `addr add ${host}/${LENGTHS[i]} dev ${link} nodad`);
    await ip(space, `link set ${link} up`);
  }
  for (const host of ROUTER_HOSTS) await ip(NODE, `route add default via ${host}`);
  const identity = access.authority.issue("edge1", [`IP:${ROUTER_HOSTS[0]}`]);
  const router = stack.use(await startRouter({ space: ROUTER, version: "1.4", identity, host: ROUTER_HOSTS[0] }));
  const configOf = (more: JsonObject): JsonObject => ({
    pools: [{ name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd66::/64" }]] }],
    networks: [{ name: "net", expose: true }],
    ...config,
    edge: {
      windowMs: 50,
      ...edge,
      routers: [
        {
          name: "edge1",
          url: `https://${ROUTER_HOSTS[0]}:${API}`,
          ...access.settings,
          ...more,
        },
      ],
    },
  });
  const node = stack.use(await startNode("a", configOf(settings)));
  const kept = stack.move();
  return {
    node,
    router,
    async reconfigure(more) {
      const file = join(dirname(dirname(node.store)), "config.yaml");
      const before = JSON.parse(readFileSync(file, "utf8")) as JsonObject;
      await node.daemon.stop();
      writeFileSync(file, JSON.stringify({ ...before, ...configOf(more) }));
      await node.daemon.start();
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
