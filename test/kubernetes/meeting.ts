/** Three nodes that meet in a real API server: the machines of test/cluster, whose router has a cable to the server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";
import { endMembers, makeMachines, startMembers } from "../cluster/machines.ts";
import type { ClusterNode } from "../cluster/node.ts";
import { LENGTH, type Name, ROUTER, routerOn, SEGMENTS } from "../cluster/place.ts";
import { applyStore } from "./applied-store.ts";
import { plugServer } from "./cable.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

/** RFC 5737: between the router and the API server. */
const CABLE = { server: "203.0.113.1", other: "203.0.113.2" };

export interface Meeting extends AsyncDisposable {
  readonly kubernetes: ControlPlane;
  readonly nodes: Readonly<Record<Name, ClusterNode>>;
}

export async function meeting(livenessSeconds: number): Promise<Meeting> {
  await using stack = new AsyncDisposableStack();
  stack.use(await makeMachines([4]));
  await plugServer(ROUTER, CABLE);
  for (const segment of SEGMENTS) {
    const network = routerOn(segment, 4).replace(/\d+$/, "0");
    await must(["ip", "route", "add", `${network}/${LENGTH[4]}`, "via", CABLE.other]);
  }
  const kubernetes = stack.use(await controlPlane({ addresses: [CABLE.server] }));
  await applyStore(kubernetes);
  await kubernetes.kubectl(["create", "serviceaccount", "selvedge", "--namespace=kube-system"]);
  const token = await kubernetes.accountToken();
  const directory = mkdtempSync(join(tmpdir(), "meeting-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, kubernetes.kubeconfig(token, CABLE.server));
  const nodes = await startMembers({
    store: { kubernetes: { kubeconfig, livenessSeconds } },
    config: { pools: [{ name: "default", ranges: [[{ subnet: "10.66.0.0/24" }]], blockSize: { 4: 28 } }] },
  });
  stack.defer(() => endMembers(nodes));
  const kept = stack.move();
  return { kubernetes, nodes, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
