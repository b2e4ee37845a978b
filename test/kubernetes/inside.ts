/** What a user sees of a cluster by kubectl: its pods, and what they get from each other. */
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathOf } from "../../conformance/namespace.ts";
import { eventually } from "../../conformance/program.ts";
import type { End } from "../cluster/watched.ts";
import type { Cluster } from "./cluster.ts";
import type { KubeNode } from "./kube-node.ts";
import { NAMESPACE, POD_PORT } from "./shop.ts";

/** Everything on two processors that others use as well. */
export const LONG_MS = 240_000;
/** Who does not answer within this long does not answer, seconds; one that should has more. */
const KEPT_OUT_SECONDS = 3;
const PATIENT_SECONDS = 30;

export interface Pod {
  /** Times are whole seconds (RFC 3339). */
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly spec: { readonly nodeName: string; readonly hostNetwork?: boolean };
  readonly status: {
    readonly podIP: string;
    /** When kubelet knew of it. */
    readonly startTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly containerID?: string;
      readonly lastState: { readonly terminated?: { readonly exitCode: number; readonly reason: string } };
    }[];
  };
}
export const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);
const hosts = (pods: readonly Pod[]) => pods.map(({ status }) => `${status.podIP}:${POD_PORT}`);
const isReady = ({ status }: Pod) =>
  status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;

export function inside({ kubernetes, nodes }: Cluster) {
  const kubectl = (...argv: readonly string[]) => kubernetes.kubectl(argv);
  const inSystem = (...argv: readonly string[]) => kubectl("--namespace=kube-system", ...argv);
  const nodeOf = ({ spec }: Pod): KubeNode => {
    const node = Object.values(nodes).find(({ name }) => name === spec.nodeName);
    if (node === undefined) throw new Error(`${spec.nodeName} is no node`);
    return node;
  };
  const inPod = (pod: Pod, script: string) =>
    kubectl("exec", `--namespace=${NAMESPACE}`, pod.metadata.name, "--", "sh", "-c", script);
  const podsOf = async (app: string): Promise<Pod[]> => {
    const said = await kubectl("get", "pods", `--namespace=${NAMESPACE}`, `--selector=app=${app}`, "--output=json");
    return (JSON.parse(said) as { items: Pod[] }).items;
  };
  /** What each host serves; "" for one that does not answer. */
  const got = async (from: Pod, of: readonly string[], seconds: number): Promise<string[]> => {
    const files = of.map((_, index) => `/got${index}`);
    const asking = of.map((host, index) => `(timeout ${seconds} wget -qO- http://${host}/ || echo) >${files[index]} &`);
    return (await inPod(from, `${asking.join(" ")} wait; cat ${files.join(" ")}`)).split("\n").slice(0, of.length);
  };
  /** The pods of an application, when there are so many and all of them serve. */
  const serving = (app: string, count: number): Promise<Pod[]> =>
    eventually(
      `${count} pods of ${app} serve`,
      async () => {
        const pods = await podsOf(app);
        return pods.length === count && pods.every(isReady) ? pods : undefined;
      },
      LONG_MS,
    );
  /** selvedgectl of a node's pod of the DaemonSet. */
  const ctl = async (node: string, ...words: readonly string[]): Promise<unknown> => {
    const path = `--output=jsonpath={.items[?(@.spec.nodeName=="${node}")].metadata.name}`;
    const pod = await inSystem("get", "pods", "--selector=app.kubernetes.io/name=selvedge", path);
    return JSON.parse(await inSystem("exec", pod, "--", "selvedgectl", "--json", ...words));
  };

  return {
    kubectl,
    inSystem,
    inPod,
    podsOf,
    ctl,
    apply: (...items: readonly object[]) =>
      kubernetes.kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items }),
    /** Of the system: when every pod of it is new, and ready. */
    rolledOut: (what: string) =>
      eventually(`${what} is rolled out`, () => inSystem("rollout", "status", what, "--timeout=50s"), LONG_MS),
    serving,
    /** Addresses of an application's pods by their names, when all of them serve. */
    addressesOf: async (app: string, count: number): Promise<Record<string, string>> =>
      Object.fromEntries((await serving(app, count)).map(({ metadata, status }) => [metadata.name, status.podIP])),
    /** What the host serves. */
    get: async (from: Pod, host: string): Promise<string> => (await got(from, [host], PATIENT_SECONDS))[0] ?? "",
    /** The names that the pods serve; "" for one that does not answer. */
    reached: (from: Pod, to: readonly Pod[]) => got(from, hosts(to), PATIENT_SECONDS),
    /** Whether none of them answers soon. */
    isKeptOut: async (from: Pod, by: readonly Pod[]) =>
      (await got(from, hosts(by), KEPT_OUT_SECONDS)).every((answer) => answer === ""),
    /** How many pods have a network of their own on the node. */
    async attachedTo(node: string): Promise<number> {
      const where = ["--all-namespaces", `--field-selector=spec.nodeName=${node}`];
      const { items } = JSON.parse(await kubectl("get", "pods", ...where, "--output=json")) as { items: Pod[] };
      return items.filter(({ spec }) => spec.hostNetwork !== true).length;
    },
    /** Whether each node has that condition, as far as it is known. */
    async conditions(type: string): Promise<string[]> {
      const path = `{.items[*].status.conditions[?(@.type=="${type}")].status}`;
      return (await kubectl("get", "nodes", `--output=jsonpath=${path}`)).split(" ");
    },
    /** The pod's network, for programs outside of its machine. */
    async end(pod: Pod): Promise<End> {
      const { name, machine } = nodeOf(pod);
      const { attachments } = (await ctl(name, "attachments")) as { attachments: { pod: string; netns: string }[] };
      const netns = attachments.find((each) => each.pod === `${NAMESPACE}/${pod.metadata.name}`)?.netns;
      if (netns === undefined) throw new Error(`${pod.metadata.name} is not attached`);
      rmSync(pathOf(pod.metadata.name), { force: true });
      // /var/run is a link that would lead to this machine's own.
      symlinkSync(join(machine.root, netns.replace(/^\/var\/run\//, "/run/")), pathOf(pod.metadata.name));
      return { id: pod.metadata.name, address: { 4: pod.status.podIP } };
    },
  };
}

export type Inside = ReturnType<typeof inside>;
