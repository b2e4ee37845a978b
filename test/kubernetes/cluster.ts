/** A cluster of two nodes as an installer of Kubernetes leaves it: everything but a network. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT } from "../../conformance/daemon.ts";
import { eventually } from "../../conformance/program.ts";
import { type ControlPlane, controlPlane, PROGRAMS, type User } from "./control-plane.ts";
import { startControllers } from "./controllers.ts";
import { SELVEDGE } from "./images.ts";
import { type KubeNode, makeKubeNode } from "./kube-node.ts";
import { CONTROL_PLANE, makeWire, NAMES, type Name } from "./wire.ts";

/** For `needing`. */
export const NEEDS = [
  "root",
  ...["selvedge", "selvedged", "selvedgectl"].map((name) => ({ file: join(BUILT, name) })),
  ...["python3", "openssl", "etcd", "etcdctl", "containerd", "ctr", "runc", "busybox"].map((program) => ({ program })),
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "coredns"].map(
    (name) => ({
      file: join(PROGRAMS, name),
    }),
  ),
  { file: SELVEDGE },
] as const;

export interface Cluster extends AsyncDisposable {
  readonly kubernetes: ControlPlane;
  readonly nodes: Readonly<Record<Name, KubeNode>>;
}

const PROXY: User = { token: "kube-proxy", name: "system:kube-proxy", group: "system:authenticated" };
const kubeletUser = (name: Name): User => ({
  token: `kubelet-${name}`,
  name: `system:node:${name}`,
  group: "system:nodes",
});

/** @param images archives that every node has */
export async function makeCluster(images: readonly string[]): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  stack.use(await makeWire());
  const kubernetes = stack.use(
    await controlPlane({
      addresses: [CONTROL_PLANE],
      users: [PROXY, ...NAMES.map(kubeletUser)],
      controllers: true,
    }),
  );
  stack.use(startControllers(kubernetes));
  const started = async (name: Name): Promise<KubeNode> => {
    const directory = join(kubernetes.files.directory, name);
    mkdirSync(directory);
    const kubeconfig = ({ token }: User): string => {
      const file = join(directory, `${token}.kubeconfig`);
      writeFileSync(file, kubernetes.kubeconfig(token, CONTROL_PLANE));
      return file;
    };
    const [kubelet, proxy] = [kubeconfig(kubeletUser(name)), kubeconfig(PROXY)];
    return makeKubeNode({ name, directory, images, kubelet, proxy });
  };
  const nodes = { one: stack.use(await started("one")), two: stack.use(await started("two")) };
  for (const name of NAMES)
    await eventually(
      `node ${name} is known`,
      async () => (await kubernetes.kubectl(["get", "node", name, "--output=name"])) !== "" || undefined,
    );
  const kept = stack.move();
  return { kubernetes, nodes, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
