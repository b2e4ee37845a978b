/** A cluster of two nodes with kubelet gets its network from the manifest, and what users make in it works; in this order. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { end, eventually, start } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { type Cluster, makeCluster, NEEDS } from "./cluster.ts";
import { writeSelvedgeImage } from "./selvedge-image.ts";
import { deployment, HOST_PORT, NAMESPACE, POD_PORT, REPLICAS, service, statefulSet } from "./shop.ts";
import { CONTROL_PLANE, NAMES, NODES } from "./wire.ts";

const INSTALL = join(import.meta.dirname, "../../install/kubernetes");
const MANIFEST = readFileSync(join(INSTALL, "selvedge.yaml"), "utf8").replace("192.0.2.10", CONTROL_PLANE);
/** Everything on two processors that others use as well. */
const LONG_MS = 240_000;

const runs = needing(...NEEDS);
const stack = new AsyncDisposableStack();
let cluster: Cluster;

beforeAll(async () => {
  if (runs === test.skip) return;
  const directory = mkdtempSync(join(tmpdir(), "cluster-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const image = join(directory, "selvedge.tar");
  await writeSelvedgeImage(image);
  cluster = stack.use(await makeCluster([image]));
}, LONG_MS);
afterAll(() => stack.disposeAsync(), 60_000);

const kubectl = (...argv: readonly string[]) => cluster.kubernetes.kubectl(argv);
const apply = (...items: readonly object[]) =>
  cluster.kubernetes.kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items });

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName: string };
  readonly status: {
    readonly podIP: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

async function podsOf(app: string, namespace = NAMESPACE): Promise<Pod[]> {
  const said = await kubectl("get", "pods", `--namespace=${namespace}`, `--selector=app=${app}`, "--output=json");
  return (JSON.parse(said) as { items: Pod[] }).items;
}

/** The pods of an application, when there are so many and all of them serve. */
const serving = (app: string, count: number): Promise<Pod[]> =>
  eventually(
    `${count} pods of ${app} serve`,
    async () => {
      const pods = await podsOf(app);
      const ready = pods.filter(({ status }) =>
        status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      );
      return pods.length === count && ready.length === count ? pods : undefined;
    },
    LONG_MS,
  );

/** What the pod gets from each of these, in this order; "" from one that does not answer. */
async function got(from: Pod, hosts: readonly string[]): Promise<string[]> {
  const files = hosts.map((_, index) => `/got${index}`);
  const asking = hosts.map((host, index) => `(timeout 5 wget -qO- http://${host}/ || echo) >${files[index]} &`);
  const script = `${asking.join(" ")} wait; cat ${files.join(" ")}`;
  const said = await kubectl("exec", `--namespace=${NAMESPACE}`, from.metadata.name, "--", "sh", "-c", script);
  return said.split("\n").slice(0, hosts.length);
}
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);
const hosts = (pods: readonly Pod[]) => pods.map(({ status }) => `${status.podIP}:${POD_PORT}`);

runs(
  "nodes wait for a network, and the manifest gives them one",
  async () => {
    expect(await readiness()).toEqual(["False", "False"]);
    await cluster.kubernetes.kubectl(["apply", "--filename=-"], MANIFEST);
    await eventually("both are ready", async () => (await readiness()).join() === "True,True" || undefined, LONG_MS);
    await kubectl("--namespace=kube-system", "rollout", "status", "daemonset/selvedge", "--timeout=50s");
    await eventually(
      "both are said to have a network",
      async () => (await conditions("NetworkUnavailable")).join() === "False,False" || undefined,
      60_000,
    );
    expect(
      ((await ctl("one", "nodes")) as { nodes: { name: string }[] }).nodes.map(({ name }) => name).toSorted(),
    ).toEqual(NAMES);
  },
  2 * LONG_MS,
);

const readiness = () => conditions("Ready");

/** Whether each node has that condition, as far as it is known. */
async function conditions(type: string): Promise<string[]> {
  const path = `{.items[*].status.conditions[?(@.type=="${type}")].status}`;
  return (await kubectl("get", "nodes", `--output=jsonpath=${path}`)).split(" ");
}

runs(
  "every pod of a Deployment reaches every other, on its node and on the other",
  async () => {
    await kubectl("create", "namespace", NAMESPACE);
    await apply(deployment("web", REPLICAS), service("web"));
    const pods = await serving("web", REPLICAS);
    expect(new Set(pods.map(({ spec }) => spec.nodeName)).size).toBe(NAMES.length);
    for (const from of pods) expect(await got(from, hosts(pods))).toEqual(names(pods));
  },
  2 * LONG_MS,
);

runs("a Service is reached by its address, from pods and from nodes", async () => {
  const pods = await podsOf("web");
  const path = "--output=jsonpath={.spec.clusterIP}";
  const address = await kubectl("get", "service", "web", `--namespace=${NAMESPACE}`, path);
  for (const pod of pods)
    await eventually("it answers", async () => names(pods).includes((await got(pod, [address]))[0] ?? "") || undefined);
  for (const node of Object.values(cluster.nodes))
    expect(names(pods)).toContain((await node.on("busybox", "wget", "-qO-", `http://${address}/`)).trim());
});

runs(
  "a host port is reached from the other node and from its own",
  async () => {
    const ports = [{ containerPort: POD_PORT, hostPort: HOST_PORT }];
    await apply(deployment("door", 1, { container: { ports } }));
    const [pod] = await serving("door", 1);
    const at = NODES[pod?.spec.nodeName as keyof typeof NODES];
    for (const node of Object.values(cluster.nodes))
      expect(await node.on("busybox", "wget", "-qO-", `http://${at}:${HOST_PORT}/`)).toBe(`${pod?.metadata.name}\n`);
  },
  2 * LONG_MS,
);

runs(
  "pods of a StatefulSet come back with their addresses",
  async () => {
    const addresses = async () =>
      Object.fromEntries((await serving("db", 2)).map(({ metadata, status }) => [metadata.name, status.podIP]));
    await apply(service("db"), statefulSet("db", 2));
    const before = await addresses();
    await kubectl("delete", "pods", `--namespace=${NAMESPACE}`, "--selector=app=db");
    expect(await addresses()).toEqual(before);
  },
  2 * LONG_MS,
);

runs(
  "a policy keeps out whom it does not let in, on both nodes",
  async () => {
    const [pods, [door]] = await Promise.all([podsOf("web"), podsOf("door")]);
    const [web] = pods;
    if (door === undefined || web === undefined) throw new Error("they do not run");
    await apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: NAMESPACE, name: "web" },
      spec: {
        podSelector: { matchLabels: { app: "web" } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }],
      },
    });
    await eventually(
      "others are kept out",
      async () => (await got(door, hosts(pods))).every((answer) => answer === "") || undefined,
      60_000,
    );
    expect(await got(web, hosts(pods))).toEqual(names(pods));
    // A new one gets ready: the probes of its node are let in.
    await kubectl("delete", "pod", web.metadata.name, `--namespace=${NAMESPACE}`);
    const others = await serving("web", REPLICAS);
    expect(names(others)).not.toContain(web.metadata.name);
    expect(await got(door, hosts(others))).toEqual(others.map(() => ""));
    await kubectl("delete", "networkpolicy", "web", `--namespace=${NAMESPACE}`);
    await eventually(
      "everybody is let in",
      async () => (await got(door, hosts(others))).join() === names(others).join() || undefined,
      60_000,
    );
  },
  2 * LONG_MS,
);

/** Asks for an echo twenty times a second until it is told to stop; then returns how many were asked for, and answered. */
async function pinging(from: Pod, to: Pod) {
  const node = nodeOf(from);
  const { attachments } = (await ctl(node.name, "attachments")) as { attachments: { pod: string; netns: string }[] };
  const netns = attachments.find(({ pod }) => pod === `${NAMESPACE}/${from.metadata.name}`)?.netns;
  const inPod = node.machine.enter(["nsenter", `--net=${netns}`, "--", "ping", "-n", "-q", "-i", "0.05"]);
  const ping = start([...inPod, to.status.podIP]);
  let said = "";
  ping.stdout?.on("data", (bytes: Buffer) => {
    said += bytes;
  });
  const ended = new Promise((resolve) => ping.once("close", resolve));
  return async (): Promise<{ asked: number; answered: number }> => {
    end(ping, "SIGINT");
    await ended;
    const [, asked, answered] = /(\d+) packets transmitted, (\d+) received/.exec(said) ?? [];
    return { asked: Number(asked), answered: Number(answered) };
  };
}

runs(
  "containerd, kubelet and the daemon start anew, and pods go on without losing a packet",
  async () => {
    const before = await podsOf("web");
    const [here, there] = NAMES.map((name) => before.find(({ spec }) => spec.nodeName === name));
    if (here === undefined || there === undefined) throw new Error("they are not on both nodes");
    const stopped = await pinging(here, there);
    await Promise.all(Object.values(cluster.nodes).map(({ restart }) => restart()));
    await kubectl("--namespace=kube-system", "rollout", "restart", "daemonset/selvedge");
    await eventually(
      "the daemons are new",
      async () =>
        (await kubectl("--namespace=kube-system", "rollout", "status", "daemonset/selvedge", "--timeout=50s")) ||
        undefined,
      LONG_MS,
    );
    const { asked, answered } = await stopped();
    expect(asked).toBeGreaterThan(100);
    expect(answered).toBe(asked);
    const after = await serving("web", REPLICAS);
    expect(after.map(lasting)).toEqual(before.map(lasting));
    await kubectl("scale", `--namespace=${NAMESPACE}`, "deployment/web", `--replicas=${2 * REPLICAS}`);
    const pods = await serving("web", 2 * REPLICAS);
    expect(new Set(pods.map(({ status }) => status.podIP)).size).toBe(2 * REPLICAS);
    for (const from of pods) expect(await got(from, hosts(pods))).toEqual(names(pods));
  },
  3 * LONG_MS,
);

/** What a pod does not change while it lives. */
const lasting = ({ metadata, spec, status }: Pod) => ({
  name: metadata.name,
  node: spec.nodeName,
  address: status.podIP,
  restarts: status.containerStatuses?.map(({ restartCount }) => restartCount),
});
function nodeOf({ spec }: Pod) {
  const node = Object.values(cluster.nodes).find(({ name }) => name === spec.nodeName);
  if (node === undefined) throw new Error(`${spec.nodeName} is no node`);
  return node;
}

/** selvedgectl of a node's pod of the DaemonSet. */
async function ctl(node: string, ...words: readonly string[]): Promise<unknown> {
  const path = `--output=jsonpath={.items[?(@.spec.nodeName=="${node}")].metadata.name}`;
  const pod = await kubectl(
    "--namespace=kube-system",
    "get",
    "pods",
    "--selector=app.kubernetes.io/name=selvedge",
    path,
  );
  return JSON.parse(await kubectl("--namespace=kube-system", "exec", pod, "--", "selvedgectl", "--json", ...words));
}

runs(
  "when all of it is deleted, nothing of it is left on the nodes",
  async () => {
    await kubectl("delete", "namespace", NAMESPACE, "--timeout=55s");
    for (const { name, on } of Object.values(cluster.nodes)) {
      await eventually(
        `${name} has no attachment`,
        async () =>
          ((await ctl(name, "attachments")) as { attachments: unknown[] }).attachments.length === 0 || undefined,
        60_000,
      );
      expect(await ctl(name, "plan")).toMatchObject({ lines: [] });
      expect(await on("ls", "/run/netns")).toBe("");
      expect(JSON.parse(await on("ip", "-json", "link", "show", "type", "veth"))).toHaveLength(1);
    }
  },
  2 * LONG_MS,
);

runs(
  "uninstalling leaves nothing of Selvedge",
  async () => {
    await cluster.kubernetes.kubectl(["delete", "--filename=-", "--timeout=55s"], MANIFEST);
    await kubectl("apply", `--filename=${join(INSTALL, "uninstall.yaml")}`);
    await kubectl("--namespace=kube-system", "rollout", "status", "daemonset/selvedge-uninstall", "--timeout=55s");
    for (const { on } of Object.values(cluster.nodes)) {
      expect(await on("nft", "list", "tables")).not.toContain("selvedge");
      expect(await on("ip", "-details", "link", "show")).not.toContain("selvedge");
      expect(await on("sh", "-c", "ls -A /etc/cni/net.d /opt/cni/bin")).not.toContain("selvedge");
      expect(await on("ip", "rule", "show")).not.toContain("proto 83");
    }
  },
  2 * LONG_MS,
);
