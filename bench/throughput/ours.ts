/** The same with Selvedge: a daemon on each node, one etcd, and pods that the plugin attaches. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { attach, ipv4Of } from "../attach.ts";
import { startDaemon } from "../daemon.ts";
import { eventually } from "./eventually.ts";
import type { Store } from "./store.ts";
import type { Way } from "./ways.ts";
import { inside, makeNodes, removeNodes, type World } from "./world.ts";

export interface Places {
  /** Of the built programs. */
  readonly dist: string;
  /** A directory for everything that they keep. */
  readonly state: string;
}

export async function ours(way: Way, store: Store, { dist, state }: Places): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const nodes = makeNodes("ours");
  stack.defer(() => removeNodes(nodes));
  const addresses: Record<string, string> = {};
  for (const name of ["a", "b"] as const) {
    const node = nodes[name];
    const settings = {
      cluster: {
        store: { etcd: { endpoints: [store.connect(node)], prefix: `/${way}/` } },
        node: { name, addresses: [node.address] },
        way,
      },
    };
    const enter = (argv: readonly string[]) => inside(node.namespace, argv);
    const daemon = stack.use(await startDaemon(join(dist, "selvedged"), join(state, way, name), { settings, enter }));
    addresses[name] = await eventually(() => ipv4Of(attach(node.pod, { dist, socket: daemon.socket, enter })));
  }
  const address = addresses.b ?? "";
  await eventually(() => {
    const [program = "", ...argv] = inside(nodes.a.pod, ["ping", "-c", "1", "-W", "1", address]);
    if (spawnSync(program, argv).status !== 0) throw new Error(`${address} does not answer`);
  });
  const kept = stack.move();
  return {
    client: nodes.a.pod,
    server: nodes.b.pod,
    address,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
