/** A cluster of three nodes with a real etcd, all of it in namespaces; see place.ts for who is where. */
import { eventually, must } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { type Etcd, startEtcd } from "./etcd.ts";
import { type ClusterNode, PLUGIN, startNode } from "./node.ts";
import { type Family, NAMES, type Name } from "./place.ts";
import { makeWire, removeWire } from "./wire.ts";

/** For `needing`. */
export const RIG = [
  "root",
  { program: "ip" },
  { program: "nft" },
  { program: "ping" },
  { program: "etcd" },
  { program: "etcdctl" },
  { file: PLUGIN },
] as const;

export interface Rig extends AsyncDisposable {
  readonly etcd: Etcd;
  readonly nodes: Readonly<Record<Name, ClusterNode>>;
}

export interface RigOptions {
  /** Of the network between the nodes. */
  readonly underlay: Family;
  /** Laid over `cluster` of every node's configuration. */
  readonly cluster?: JsonObject;
}

/** The pools that the nodes share. */
const POOLS = [{ name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/48" }]] }];

export async function makeRig({ underlay, cluster = {} }: RigOptions): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  // Nodes have mounts of their own, and are to see the namespaces of pods that are made later.
  await must(["mount", "--make-shared", "/run"]);
  stack.defer(removeWire);
  await makeWire([underlay]);
  const etcd = stack.use(await startEtcd(underlay));
  const nodeOf = async (name: Name) =>
    stack.use(
      await startNode(name, {
        pools: POOLS,
        ipam: { coolDownSeconds: 2 },
        cluster: {
          store: { etcd: { endpoints: [etcd.endpoint], livenessSeconds: 3 } },
          node: { name },
          probe: { everyMs: 200, lost: 5 },
          ...cluster,
        },
      }),
    );
  const [a, b, c] = await Promise.all([nodeOf("a"), nodeOf("b"), nodeOf("c")]);
  const nodes = { a, b, c };
  await eventually(
    "every node knows the others",
    async () => {
      const keys = await etcd.ctl("get", "--prefix", "--keys-only", "/selvedge/v1/nodes/");
      return NAMES.every((name) => keys.includes(`/nodes/${name}`)) || undefined;
    },
    30_000,
  );
  const kept = stack.move();
  return { etcd, nodes, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
