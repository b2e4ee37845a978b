/** The published rows of NetworkPolicy (mattfenwick/cyclonus's generator and reference matcher), step by step as worlds. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest } from "#lib/policy/manifest.ts";
import { type Namespace, type Pod, type Policy, podKey } from "#lib/policy/objects.ts";

export const ROWS = join(import.meta.dirname, "../../../shared/data/networkpolicy-cases.json");

export interface Probe {
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
}

export interface Expected {
  readonly probe: Probe;
  /** `namespace/name`, in the order of the matrix. */
  readonly pods: readonly string[];
  /** From each pod to each: `.` accepted, `I`, `E`, `B` denied on the side of ingress, of egress, of both. */
  readonly matrix: readonly string[];
}

/** What stands after the actions of one step of a case, and what is to be seen then. */
export interface Step {
  readonly title: string;
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly policies: readonly Policy[];
  /** The same as manifests. */
  readonly manifests: readonly unknown[];
  readonly expected: readonly Expected[];
}

interface RowPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Record<string, string>;
  readonly ip?: string;
}

interface Data {
  readonly meta: {
    readonly world: {
      readonly namespaces: Record<string, Record<string, string>>;
      readonly pods: readonly RowPod[];
      readonly servers: readonly { readonly port: number; readonly protocol: string; readonly name: string }[];
    };
  };
  readonly cases: readonly {
    readonly id: number;
    readonly description: string;
    readonly steps: readonly { readonly actions: readonly Action[] | null; readonly expected: readonly Expected[] }[];
  }[];
}

interface RowPolicy {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

interface RowNamespace {
  readonly name: string;
  readonly labels: Record<string, string>;
}

/** Those of the generator (pkg/generator/action.go); one of them. */
interface Action {
  readonly createPolicy?: RowPolicy;
  readonly updatePolicy?: RowPolicy;
  readonly deletePolicy?: RowPolicy["metadata"];
  readonly createNamespace?: RowNamespace;
  readonly setNamespaceLabels?: RowNamespace;
  readonly deleteNamespace?: { readonly name: string };
  readonly createPod?: RowPod;
  readonly deletePod?: RowPod;
  readonly setPodLabels?: RowPod;
  /** Asks only. */
  readonly readNetworkPolicies?: unknown;
}

/** Every step of every case, each with what came before it. */
export function readSteps(): Step[] {
  const { meta, cases } = JSON.parse(readFileSync(ROWS, "utf8")) as Data;
  return cases.flatMap(({ id, description, steps }) => {
    const namespaces = new Map<string, unknown>();
    const pods = new Map<string, RowPod>();
    const policies = new Map<string, unknown>();
    for (const [name, labels] of Object.entries(meta.world.namespaces)) namespaces.set(name, namespace(name, labels));
    for (const pod of meta.world.pods) pods.set(podKey(pod), pod);
    return steps.map(({ actions, expected }, i): Step => {
      for (const action of actions ?? []) perform(action, { namespaces, pods, policies });
      const manifests = [
        ...namespaces.values(),
        ...[...pods.values()].map((pod, n) => podManifest(pod, n, meta.world.servers)),
        ...policies.values(),
      ];
      const read = manifests.flatMap((each) => readManifest(each));
      return {
        title: `${id}, step ${i + 1}: ${description}`,
        namespaces: new Map(read.flatMap((o) => (o.kind === "Namespace" ? [[o.value.name, o.value]] : []))),
        pods: new Map(read.flatMap((o) => (o.kind === "Pod" ? [[podKey(o.value), o.value]] : []))),
        policies: read.flatMap((o) => (o.kind === "Policy" ? [o.value] : [])),
        manifests,
        expected,
      };
    });
  });
}

function perform(
  action: Action,
  {
    namespaces,
    pods,
    policies,
  }: Record<"namespaces" | "policies", Map<string, unknown>> & { pods: Map<string, RowPod> },
): void {
  const { deletePolicy, deleteNamespace, createPod, deletePod, setPodLabels } = action;
  const policy = action.createPolicy ?? action.updatePolicy;
  const labelled = action.createNamespace ?? action.setNamespaceLabels;
  if (policy !== undefined)
    policies.set(podKey(policy.metadata), { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...policy });
  else if (deletePolicy !== undefined) policies.delete(podKey(deletePolicy));
  else if (labelled !== undefined) namespaces.set(labelled.name, namespace(labelled.name, labelled.labels));
  else if (deleteNamespace !== undefined) {
    namespaces.delete(deleteNamespace.name);
    for (const [key, pod] of pods) if (pod.namespace === deleteNamespace.name) pods.delete(key);
  } else if (createPod !== undefined) pods.set(podKey(createPod), createPod);
  else if (deletePod !== undefined) pods.delete(podKey(deletePod));
  else if (setPodLabels !== undefined)
    pods.set(podKey(setPodLabels), { ...pods.get(podKey(setPodLabels)), ...setPodLabels });
  else if (action.readNetworkPolicies === undefined) throw new Error(`no such action: ${JSON.stringify(action)}`);
}

const namespace = (name: string, labels: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});

const podManifest = (
  { namespace, name, labels, ip }: RowPod,
  n: number,
  servers: readonly { port: number; protocol: string; name: string }[],
) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace, name, labels },
  spec: {
    containers: servers.map((server) => ({
      ports: [{ containerPort: server.port, protocol: server.protocol, name: server.name }],
    })),
  },
  status: { podIPs: [{ ip: ip ?? `192.168.242.${n + 100}` }] },
});
