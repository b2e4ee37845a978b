/** Pods on one node of a real cluster: containers that containerd starts for a kubelet, on the node where the scheduler put them. */
import { eventually } from "../../conformance/program.ts";
import { makeCluster } from "../../test/kubernetes/cluster.ts";
import { SELVEDGE } from "../../test/kubernetes/images.ts";
import { inside } from "../../test/kubernetes/inside.ts";
import { whole } from "../../test/kubernetes/manifests.ts";
import { TOOLS } from "../../test/runtimes/image.ts";
import { followPods, type Heard } from "./follow.ts";
import { type Phase, phase } from "./measured.ts";

const NODE = "one";
const NAMESPACE = "bench";
const PATIENCE_MS = 900_000;

const deployment = (replicas: number): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: NAMESPACE, name: "web" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: {
        nodeSelector: { "kubernetes.io/hostname": NODE },
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "main", image: TOOLS }],
      },
    },
  },
});

/** The daemon's part of ADDs by container, ms, as its log tells. */
function addsIn(log: string): ReadonlyMap<string, number> {
  const lines = log.split("\n").filter((line) => line.includes('"event":"attached"'));
  const events = lines.map((line) => JSON.parse(line) as { container: string; tookMs: number });
  return new Map(events.map(({ container, tookMs }) => [container, tookMs]));
}

/** @param pods at most 109: kubelet's own limit, and the daemon */
export async function hundred(pods: number): Promise<Phase> {
  await using cluster = await makeCluster([SELVEDGE]);
  const { kubernetes } = cluster;
  const within = inside(cluster);
  await kubernetes.kubectl(["apply", "--filename=-"], whole());
  await within.rolledOut("daemonset/selvedge");
  await within.kubectl("create", "namespace", NAMESPACE);
  const [madeMs, runsMs] = [new Map<string, number>(), new Map<string, number>()];
  const { promise: broken, reject } = Promise.withResolvers<never>();
  const hear = ({ type, object: { metadata, status } }: Heard): void => {
    const pod = `${NAMESPACE}/${metadata.name}`;
    if (type === "ADDED") madeMs.set(pod, performance.now());
    if (status.phase === "Running" && !runsMs.has(pod)) runsMs.set(pod, performance.now());
  };
  using _following = followPods(kubernetes, NAMESPACE, hear, reject);
  const sinceMs = performance.now();
  await within.apply(deployment(pods));
  const allRun = eventually("all run", async () => runsMs.size === pods || undefined, PATIENCE_MS);
  await Promise.race([allRun, broken]);
  const path = `--output=jsonpath={.items[?(@.spec.nodeName=="${NODE}")].metadata.name}`;
  const daemon = await within.inSystem("get", "pods", "--selector=app.kubernetes.io/name=selvedge", path);
  const adds = addsIn(await within.inSystem("logs", daemon));
  const { attachments } = (await within.ctl(NODE, "attachments")) as {
    attachments: { pod: string; key: { containerId: string } }[];
  };
  const addMs = new Map(attachments.map(({ pod, key }) => [pod, adds.get(key.containerId) ?? Number.NaN]));
  return phase(`${pods} pods on one node`, sinceMs, { madeMs, runsMs, addMs }, 0);
}
