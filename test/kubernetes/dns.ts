/** CoreDNS as an installer of Kubernetes runs it, as far as names of services and pods need it. */
import { account } from "./account.ts";
import { COREDNS_IMAGE } from "./images.ts";
import { DNS_SERVICE } from "./kubelet.ts";

const NAME = "coredns";
const IN_SYSTEM = { namespace: "kube-system", name: NAME };
const LABELS = { "k8s-app": "kube-dns" };
const READY_PORT = 8181;
const COREFILE = `
.:53 {
  errors
  ready
  kubernetes cluster.local in-addr.arpa
}
`;

export const DNS: readonly object[] = [
  ...account(IN_SYSTEM, [
    { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ]),
  { apiVersion: "v1", kind: "ConfigMap", metadata: IN_SYSTEM, data: { Corefile: COREFILE } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: IN_SYSTEM,
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: NAME,
          dnsPolicy: "Default",
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: NAME,
              image: COREDNS_IMAGE,
              args: ["-conf", "/etc/coredns/Corefile"],
              readinessProbe: { httpGet: { path: "/ready", port: READY_PORT }, periodSeconds: 1 },
              volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
            },
          ],
          volumes: [{ name: "config", configMap: { name: NAME } }],
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...IN_SYSTEM, name: "kube-dns" },
    spec: { clusterIP: DNS_SERVICE, selector: LABELS, ports: [{ port: 53, protocol: "UDP" }] },
  },
];
