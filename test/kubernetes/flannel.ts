/** Flannel as its kube-flannel.yml runs it, in one image. */
import { account } from "./account.ts";
import { FLANNEL_IMAGE } from "./images.ts";
import { NAMES, type Name } from "./wire.ts";

/** Of pods. */
const PREFIX = "10.244";
export const isFlannels = (address: string): boolean => address.startsWith(`${PREFIX}.`);
/** What the cluster has given to a node, for `spec.podCIDR`. */
export const podCidr = (name: Name): string => `${PREFIX}.${NAMES.indexOf(name)}.0/24`;

/** Plugins that it needs besides its own, which come with kubelet: where Debian has them. */
export const PLUGINS: readonly string[] = ["bridge", "host-local", "loopback", "portmap"].map(
  (name) => `/usr/lib/cni/${name}`,
);

export const DAEMONS = { namespace: "kube-flannel", name: "kube-flannel-ds" } as const;
const IN_SYSTEM = { namespace: DAEMONS.namespace, name: "flannel" };
const CONFIG = { namespace: DAEMONS.namespace, name: "kube-flannel-cfg" };
const LABELS = { app: "flannel" };
const LIST = {
  name: "cbr0",
  cniVersion: "0.3.1",
  plugins: [
    { type: "flannel", delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};
const NET = { Network: `${PREFIX}.0.0/16`, Backend: { Type: "vxlan" } };
const LIST_FILE = "/etc/cni/net.d/10-flannel.conflist";

const field = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const onNode = (name: string, path: string): object => ({ name, hostPath: { path, type: "DirectoryOrCreate" } });

export const FLANNEL: readonly object[] = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: DAEMONS.namespace } },
  ...account(IN_SYSTEM, [
    { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
    { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
  ]),
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: CONFIG,
    data: { "cni-conf.json": JSON.stringify(LIST), "net-conf.json": JSON.stringify(NET) },
  },
  {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: DAEMONS,
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          hostNetwork: true,
          priorityClassName: "system-node-critical",
          tolerations: [{ operator: "Exists", effect: "NoSchedule" }],
          serviceAccountName: IN_SYSTEM.name,
          initContainers: [
            {
              name: "install-cni-plugin",
              image: FLANNEL_IMAGE,
              command: ["cp", "-f", "/flannel", "/opt/cni/bin/flannel"],
              volumeMounts: [{ name: "cni-plugin", mountPath: "/opt/cni/bin" }],
            },
            {
              name: "install-cni",
              image: FLANNEL_IMAGE,
              command: ["cp", "-f", "/etc/kube-flannel/cni-conf.json", LIST_FILE],
              volumeMounts: [
                { name: "cni", mountPath: "/etc/cni/net.d" },
                { name: "flannel-cfg", mountPath: "/etc/kube-flannel" },
              ],
            },
          ],
          containers: [
            {
              name: "kube-flannel",
              image: FLANNEL_IMAGE,
              command: ["/opt/bin/flanneld", "--ip-masq", "--kube-subnet-mgr"],
              securityContext: { privileged: false, capabilities: { add: ["NET_ADMIN", "NET_RAW"] } },
              env: [field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")],
              volumeMounts: [
                { name: "run", mountPath: "/run/flannel" },
                { name: "flannel-cfg", mountPath: "/etc/kube-flannel" },
              ],
            },
          ],
          volumes: [
            onNode("run", "/run/flannel"),
            onNode("cni-plugin", "/opt/cni/bin"),
            onNode("cni", "/etc/cni/net.d"),
            { name: "flannel-cfg", configMap: { name: CONFIG.name } },
          ],
        },
      },
    },
  },
];

/** What an operator does on a node when flannel's DaemonSet is gone, as the README says it. */
export const REMOVE = `
rm ${LIST_FILE}
rm -r /run/flannel /var/lib/cni/flannel /var/lib/cni/networks/${LIST.name}
ip link delete flannel.1
ip link delete cni0
iptables-save | grep --invert-match --regexp=CNI- --regexp=FLANNEL- | iptables-restore
`;
