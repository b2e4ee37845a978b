/** A cluster that there is on paper only: namespaces, policies and pods, each made when it is asked for. */

export interface Amounts {
  readonly namespaces: number;
  readonly policies: number;
  readonly pods: number;
}

export interface Collection {
  readonly apiVersion: string;
  readonly kind: string;
  readonly count: number;
  /** @param n from 0 */
  at(n: number): object;
}

/** As many kinds of pods as there are applications in all namespaces; every second application is somebody's peer. */
const APPLICATIONS = 40;

export const VERSION = "1000000";

/** By the path of all there are. */
export const collections = ({ namespaces, policies, pods }: Amounts): Readonly<Record<string, Collection>> => ({
  "/api/v1/namespaces": {
    apiVersion: "v1",
    kind: "Namespace",
    count: namespaces,
    at: (n) => ({ metadata: { ...head(n), name: namespace(n) } }),
  },
  "/apis/networking.k8s.io/v1/networkpolicies": {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    count: policies,
    at: (n) => ({
      metadata: { ...head(n), namespace: namespace(n % namespaces), name: `policy-${n}` },
      spec: {
        podSelector: { matchLabels: { app: `app-${n % APPLICATIONS}` } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: `app-${(n % APPLICATIONS) & ~1}` } } }] }],
      },
    }),
  },
  "/api/v1/pods": {
    apiVersion: "v1",
    kind: "Pod",
    count: pods,
    at: (n) => pod(n, namespace(n % namespaces)),
  },
});

const namespace = (n: number): string => `team-${n}`;
const uid = (n: number): string => `5e1f0000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
const head = (n: number) => ({ uid: uid(n), resourceVersion: String(Number(VERSION) - n) });

/** What kubelet and the controllers write of a pod with one container: some 4 KB. */
function pod(n: number, of: string): object {
  const app = `app-${Math.floor(n / 7) % APPLICATIONS}`;
  const hash = (n % 3_000).toString(36).padStart(9, "x");
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: `${app}-${hash}`, uid: uid(n % 3_000) };
  const environment = Array.from({ length: 24 }, (_, i) => ({
    name: `SETTING_NUMBER_${i}`,
    value: `value ${i} of ${app}`,
  }));
  const mounts = Array.from({ length: 6 }, (_, i) => ({
    name: `volume-${i}`,
    mountPath: `/var/lib/volumes/${i}`,
    readOnly: true,
  }));
  const volumes = mounts.map(({ name }) => ({ name, configMap: { name: `${app}-${name}`, defaultMode: 420 } }));
  const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  return {
    metadata: {
      ...head(n),
      namespace: of,
      name: `${app}-${hash}-${n.toString(36).padStart(5, "0")}`,
      labels: { app, "pod-template-hash": hash, "app.kubernetes.io/managed-by": "helm" },
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec: {
      nodeName: `node-${n % 5_000}`,
      containers: [
        {
          name: "main",
          image: `registry.example/${app}:1.2.3`,
          ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
          env: environment,
          volumeMounts: mounts,
        },
      ],
      volumes,
    },
    status: {
      phase: "Running",
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      })),
    },
  };
}
