/**
 * Pools of virtual functions with a real kubelet: offered, counted, given to containers, and a pod's interface the one that its
 * container was given. The functions are a made-up tree of sysfs, held by a userspace driver, so that no link has to move.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, must } from "../../conformance/program.ts";
import { DEFINITIONS_KIND, definition } from "../support/kubernetes/definitions.ts";
import { needing } from "../support/requirement.ts";
import { established } from "./applied-store.ts";
import { type Cluster, makeCluster, NEEDS } from "./cluster.ts";
import { PROGRAMS } from "./control-plane.ts";
import { SELVEDGE } from "./images.ts";
import { type Inside, inside, LONG_MS, type Pod } from "./inside.ts";
import { deployment, NAMESPACE } from "./shop.ts";
import { NAMES } from "./wire.ts";

const HELM = join(PROGRAMS, "helm");
const CHART = join(import.meta.dirname, "../../install/kubernetes");
const KUBELET = "/var/lib/kubelet/device-plugins";
const RESOURCE = "selvedge.dev/fast";
const ON_EACH = 2;
const APP = "fast";
const COUNT = ON_EACH * NAMES.length;

/** One card with two virtual functions, as Documentation/ABI/testing/sysfs-bus-pci has them (v6.12). */
const TREE = "/var/lib/made-up-pci";
const PLUG = `
plug() {
  mkdir -p "${TREE}/devices/$1"
  cd "${TREE}/devices/$1"
  echo 0x8086 >vendor
  echo 0x1572 >device
  echo 1 >numa_node
}
plug 0000:3b:00.0
echo ${ON_EACH} | tee sriov_totalvfs >sriov_numvfs
for index in 0 1; do
  ln -s "../0000:3b:02.$index" "${TREE}/devices/0000:3b:00.0/virtfn$index"
  plug "0000:3b:02.$index"
  ln -s ../0000:3b:00.0 physfn
  ln -s ../../drivers/vfio-pci driver
done
`;
const MOUNTED = [
  { op: "add", path: "/spec/template/spec/volumes/-", value: { name: "pci", hostPath: { path: TREE } } },
  {
    op: "add",
    path: "/spec/template/spec/containers/0/volumeMounts/-",
    value: { name: "pci", mountPath: "/sys/bus/pci" },
  },
];

const runs = needing(...NEEDS, { file: HELM });
const stack = new AsyncDisposableStack();
let cluster: Cluster;
let within: Inside;
beforeAll(async () => {
  if (runs === test.skip) return;
  const directory = mkdtempSync(join(tmpdir(), "devices-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  cluster = stack.use(await makeCluster([SELVEDGE]));
  within = inside(cluster);
  await everywhere((node) => node.on("sh", "-euc", PLUG));
  await established(cluster.kubernetes, DEFINITIONS_KIND);
  const pools = JSON.stringify([{ name: APP, physical: ["0000:3b:00.0"] }]);
  const made = await must(
    [
      ...[HELM, "template", "selvedge", CHART, "--namespace=kube-system"],
      ...[`--set=configuration.sriov.kubeletDir=${KUBELET}`, `--set-json=configuration.sriov.pools=${pools}`],
    ],
    { environment: { HOME: directory, PATH: process.env.PATH ?? "" } },
  );
  await cluster.kubernetes.kubectl(["apply", "--filename=-"], made);
  await within.inSystem("patch", "daemonset/selvedge", "--type=json", `--patch=${JSON.stringify(MOUNTED)}`);
  await within.rolledOut("daemonset/selvedge");
  await within.kubectl("create", "namespace", NAMESPACE);
}, 3 * LONG_MS);
afterAll(() => stack.disposeAsync(), LONG_MS);

const everywhere = <T>(use: (node: Cluster["nodes"]["one"]) => Promise<T>): Promise<T[]> =>
  Promise.all(Object.values(cluster.nodes).map(use));

const allocatable = (): Promise<string> => {
  const path = `{.items[*].status.allocatable.${RESOURCE.replace(".", "\\.")}}`;
  return within.kubectl("get", "nodes", `--output=jsonpath=${path}`);
};
const offered = (): Promise<true> =>
  eventually(
    "kubelet has counted them",
    async () => (await allocatable()) === NAMES.map(() => ON_EACH).join(" ") || undefined,
    LONG_MS,
  );

/** What the container was given, and what the pod's interface is. */
async function devicesOf(pod: Pod): Promise<[given: string, attached: string]> {
  const given = (await within.inPod(pod, "echo $PCIDEVICE_SELVEDGE_DEV_FAST")).trim();
  const { attachments } = (await within.ctl(pod.spec.nodeName, "attachments")) as {
    attachments: { pod: string; devices: string[] }[];
  };
  const own = attachments.filter((each) => each.pod === `${NAMESPACE}/${pod.metadata.name}`);
  return [given, own.flatMap(({ devices }) => devices).join()];
}

/** Each pod of the application has the device that its container has, and no other has it. */
async function eachHasItsOwn(): Promise<void> {
  const pods = await within.serving(APP, COUNT);
  const seen: string[] = [];
  for (const pod of pods) {
    const [given, attached] = await devicesOf(pod);
    expect([given, attached]).toEqual([expect.stringMatching(/^0000:3b:02\.[01]$/), given]);
    seen.push(`${pod.spec.nodeName} ${given}`);
  }
  expect(seen.toSorted()).toEqual(["one", "two"].flatMap((node) => [`${node} 0000:3b:02.0`, `${node} 0000:3b:02.1`]));
}

runs("nodes have as many as their pool", () => offered().then((is) => expect(is).toBe(true)), LONG_MS);

runs(
  "a pod's interface is the device that its container was given, and each has its own",
  async () => {
    const fast = definition(APP, { type: "selvedge", attachment: "host-device", ipam: {} }, NAMESPACE);
    const named = { ...fast.metadata, annotations: { "k8s.v1.cni.cncf.io/resourceName": RESOURCE } };
    const container = { resources: { limits: { [RESOURCE]: "1" } } };
    await within.apply({ ...fast, metadata: named });
    await within.apply(
      deployment(APP, COUNT, { container, annotations: { "k8s.v1.cni.cncf.io/networks": `${APP}@f0` } }),
    );
    await eachHasItsOwn();
  },
  2 * LONG_MS,
);

runs(
  "one more waits until there is one",
  async () => {
    await within.kubectl("scale", `--namespace=${NAMESPACE}`, `deployment/${APP}`, `--replicas=${COUNT + 1}`);
    await eventually(
      "it waits for a device",
      async () => {
        const pods = await within.kubectl("get", "pods", `--namespace=${NAMESPACE}`, "--output=json");
        return pods.includes(`Insufficient ${RESOURCE}`) || undefined;
      },
      LONG_MS,
    );
    await within.kubectl("scale", `--namespace=${NAMESPACE}`, `deployment/${APP}`, `--replicas=${COUNT}`);
  },
  LONG_MS,
);

/** The plugin's socket beside kubelet's, by its inode and when it was made; "" while there is none. */
const sockets = (): Promise<string[]> =>
  everywhere(({ on }) => on("sh", "-c", `stat -c '%i %Z' ${KUBELET}/selvedge-*.sock 2>/dev/null || :`));

/** Which they are when each node has another one than before. */
const comeBack = (before: readonly string[]): Promise<string[]> =>
  eventually(
    "the plugin has come back",
    async () => {
      const after = await sockets();
      return after.every((socket, index) => socket !== "" && socket !== before[index]) ? after : undefined;
    },
    LONG_MS,
  );

runs(
  "a kubelet that starts anew is told again, and so is one whose daemon starts anew; pods get devices after both",
  async () => {
    const first = await sockets();
    await everywhere((node) => node.restart("kubelet"));
    const second = await comeBack(first);
    await within.inSystem("rollout", "restart", "daemonset/selvedge");
    await within.rolledOut("daemonset/selvedge");
    await comeBack(second);
    await offered();
    await within.kubectl("delete", "pods", `--namespace=${NAMESPACE}`, `--selector=app=${APP}`);
    await eachHasItsOwn();
  },
  3 * LONG_MS,
);
