/** A cluster of three nodes with a real etcd, all of it in namespaces; see place.ts for who is where. */
import { eventually } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { PLUGIN } from "../support/invocation.ts";
import { type Etcd, startEtcd } from "./etcd.ts";
import { endMembers, type Meeting, makeMachines, startMember, startMembers } from "./machines.ts";
import type { ClusterNode } from "./node.ts";
import { type Family, NAMES, type Name } from "./place.ts";
import { plug, unplug } from "./wire.ts";

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
  /** The machine with everything on it is no more, an operator removes its record, and another one has its name and place. */
  replace(name: Name): Promise<void>;
}

export interface RigOptions {
  /** Of the network between the nodes. */
  readonly underlay: Family;
  /** That the machines have addresses of; `underlay` alone. */
  readonly families?: readonly Family[];
  /** Laid over `cluster` of every node's configuration. */
  readonly cluster?: JsonObject;
  /** Laid over every node's configuration. */
  readonly config?: JsonObject;
}

/** The pools that the nodes share. */
const POOLS = [{ name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/48" }]] }];

export async function makeRig({
  underlay,
  families = [underlay],
  cluster = {},
  config = {},
}: RigOptions): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  stack.use(await makeMachines(families));
  const etcd = stack.use(await startEtcd(underlay));
  const meeting: Meeting = {
    store: { etcd: { endpoints: [etcd.endpoint], livenessSeconds: 3 } },
    cluster,
    config: { pools: POOLS, ...config },
  };
  const nodes = await startMembers(meeting);
  stack.defer(() => endMembers(nodes));
  const joined = (names: readonly Name[]) =>
    eventually(
      `${names.join(", ")} joined`,
      async () => {
        const keys = await etcd.ctl("get", "--prefix", "--keys-only", "/selvedge/v1/nodes/");
        return names.every((name) => keys.includes(`/nodes/${name}`)) || undefined;
      },
      30_000,
    );
  await joined(NAMES);
  const kept = stack.move();
  return {
    etcd,
    nodes,
    async replace(name) {
      await nodes[name][Symbol.asyncDispose]();
      await unplug(name);
      await etcd.ctl("del", `/selvedge/v1/nodes/${name}`);
      await plug(name, families);
      nodes[name] = await startMember(name, meeting);
      await joined([name]);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
