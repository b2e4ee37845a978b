/** Pods and policies that there are on paper: manifests for a directory. */

/** IPv4, of pod `n` from 0 of up to 65,000. */
export const paperAddress = (n: number): string => `10.99.${n >> 8}.${n & 255}`;

const PEERS = { role: "peer" };

export const podManifest = (name: string, labels: object, address?: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "bench", name, labels },
  status: address === undefined ? {} : { podIP: address, podIPs: [{ ip: address }] },
});

/** So many pods that may send, the one named `client` among them, and the one that they may send to. */
export const peerPods = (count: number): object[] => [
  podManifest("client", PEERS),
  podManifest("server", { app: "server" }),
  ...Array.from({ length: count - 1 }, (_, n) => podManifest(`peer-${n}`, PEERS, paperAddress(n))),
];

export const mayBeSentTo = (port: number): object =>
  policyManifest(
    "server",
    { app: "server" },
    { from: [{ podSelector: { matchLabels: PEERS } }], ports: [{ protocol: "UDP", port }] },
  );

export const policyManifest = (name: string, subject: object, rule: object): object => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: "bench", name },
  spec: { podSelector: { matchLabels: subject }, ingress: [rule] },
});
