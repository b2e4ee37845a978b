/** A node in a namespace of its own, whose daemon follows a real API server as the manifest's service account. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../conformance/subject.ts";
import { type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { plugServer } from "./cable.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { SELVEDGE } from "./manifests.ts";

/** RFC 5737: between the node and the API server. */
export const CABLE = { server: "198.51.100.1", other: "198.51.100.2" };

export interface JoinedNode extends AsyncDisposable {
  readonly live: LiveNode;
  readonly kubernetes: ControlPlane;
}

export interface JoinedNodeOptions {
  /** At most ten characters: it begins the names of namespaces. */
  readonly name: string;
  /** Laid over the daemon's configuration. */
  readonly config: JsonObject;
  /** What the cluster has before the daemon follows it, besides the namespace `shop`. */
  readonly objects?: readonly object[];
}

export async function joinedNode({ name, config, objects = [] }: JoinedNodeOptions): Promise<JoinedNode> {
  await using stack = new AsyncDisposableStack();
  const live = stack.use(await makeLiveNode({ name }));
  await plugServer(live.node.namespace, CABLE);
  const kubernetes = stack.use(await controlPlane({ addresses: [CABLE.server] }));
  await kubernetes.kubectl(["apply", `--filename=${SELVEDGE}`]);
  await kubernetes.kubectl(["create", "namespace", "shop"]);
  for (const object of objects) await kubernetes.kubectl(["apply", "--filename=-"], object);
  const token = await kubernetes.accountToken();
  const [file, kubeconfig] = [join(live.directory, "config.yaml"), join(live.directory, "kubeconfig")];
  writeFileSync(kubeconfig, kubernetes.kubeconfig(token, CABLE.server));
  const settings = JSON.parse(readFileSync(file, "utf8")) as object;
  const { kubernetes: more = {}, ...others } = config;
  writeFileSync(file, JSON.stringify({ ...settings, ...others, kubernetes: { ...(more as object), kubeconfig } }));
  await live.daemon.stop();
  await live.daemon.start();
  const whole = stack.move();
  return { live, kubernetes, [Symbol.asyncDispose]: () => whole[Symbol.asyncDispose]() };
}
