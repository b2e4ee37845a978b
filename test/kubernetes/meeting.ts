/** Three nodes that meet in a real API server: the machines of test/cluster, whose router has a cable to the server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";
import { type ClusterNode, startNode } from "../cluster/node.ts";
import { LENGTH, NAMES, type Name, ROUTER, routerOn, SEGMENTS } from "../cluster/place.ts";
import { makeWire, removeWire } from "../cluster/wire.ts";
import { applyStore } from "./applied-store.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";

/** RFC 5737: between the router and the namespace of the test, which is the API server's. */
const CABLE = { server: "203.0.113.1", router: "203.0.113.2" };

export interface Meeting extends AsyncDisposable {
  readonly kubernetes: ControlPlane;
  readonly nodes: Readonly<Record<Name, ClusterNode>>;
}

export async function meeting(livenessSeconds: number): Promise<Meeting> {
  await using stack = new AsyncDisposableStack();
  // Nodes have mounts of their own, and are to see the namespaces of pods that are made later.
  await must(["mount", "--make-shared", "/run"]);
  stack.defer(removeWire);
  await makeWire([4]);
  await must(["ip", "link", "add", "kube0", "type", "veth", "peer", "name", "kube0", "netns", ROUTER]);
  await must(["ip", "addr", "add", `${CABLE.server}/30`, "dev", "kube0"]);
  await must(["ip", "link", "set", "kube0", "up"]);
  await must(["ip", "-n", ROUTER, "addr", "add", `${CABLE.router}/30`, "dev", "kube0"]);
  await must(["ip", "-n", ROUTER, "link", "set", "kube0", "up"]);
  for (const segment of SEGMENTS) {
    const network = routerOn(segment, 4).replace(/\d+$/, "0");
    await must(["ip", "route", "add", `${network}/${LENGTH[4]}`, "via", CABLE.router]);
  }
  const kubernetes = stack.use(await controlPlane({ addresses: [CABLE.server] }));
  await applyStore(kubernetes);
  await kubernetes.kubectl(["create", "serviceaccount", "selvedge", "--namespace=kube-system"]);
  const token = (await kubernetes.kubectl(["create", "token", "selvedge", "--namespace=kube-system"])).trim();
  const directory = mkdtempSync(join(tmpdir(), "meeting-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const kubeconfig = join(directory, "kubeconfig");
  writeFileSync(kubeconfig, kubernetes.kubeconfig(token, CABLE.server));
  const started = async (name: Name): Promise<ClusterNode> =>
    stack.use(
      await startNode(name, {
        pools: [{ name: "default", ranges: [[{ subnet: "10.66.0.0/24" }]], blockSize: { 4: 28 } }],
        ipam: { coolDownSeconds: 2 },
        cluster: {
          store: { kubernetes: { kubeconfig, livenessSeconds } },
          node: { name },
          probe: { everyMs: 200, lost: 5 },
        },
      }),
    );
  const [a, b, c] = await Promise.all(NAMES.map(started));
  if (a === undefined || b === undefined || c === undefined) throw new TypeError("three names are three nodes");
  const kept = stack.move();
  return { kubernetes, nodes: { a, b, c }, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
