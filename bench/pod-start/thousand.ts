/**
 * Many pods on ten nodes, in the form of Spiderpool's published test (docs/concepts/ipam-performance.md): a hundred
 * Deployments, once with addresses to spare and once with exactly as many as pods. API server, scheduler and controllers are
 * real, and so are plugin and daemons, which follow it and meet in it; the kubelets are not: see stand-in.ts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT } from "../../conformance/daemon.ts";
import { eventually, inside } from "../../conformance/program.ts";
import { applyStore } from "../../test/kubernetes/applied-store.ts";
import { controlPlane } from "../../test/kubernetes/control-plane.ts";
import { startControllers } from "../../test/kubernetes/controllers.ts";
import { serviceAccount } from "../../test/kubernetes/manifests.ts";
import { startDaemon } from "../daemon.ts";
import { followPods, type Heard, type PodObject } from "./follow.ts";
import { type Phase, phase } from "./measured.ts";
import { makeSandboxes } from "./sandboxes.ts";
import { type StandIn, standIn } from "./stand-in.ts";
import { CONTROL_PLANE, makePlaces } from "./wire.ts";

const NODES = 10;
const DEPLOYMENTS = 100;
/** For everything together: a pod that waits for an address is tried again every ten seconds. */
const PATIENCE_MS = 900_000;
const START_MS = 120_000;

/** A pool each, chosen by the namespace of the pods. */
const NAMESPACES = ["exact", "spare"] as const;
type Namespace = (typeof NAMESPACES)[number];

const settings = (pods: number, node: string, kubeconfig: string): object => ({
  kubernetes: { kubeconfig },
  cluster: { node: { name: node }, store: { kubernetes: {} } },
  // Addresses that others have released count as free at once, as they do in what is compared.
  ipam: { coolDownSeconds: 0 },
  pools: [
    { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]] },
    {
      name: "exact",
      ranges: [[{ subnet: "10.67.0.0/16", rangeStart: "10.67.1.0", rangeEnd: last("10.67.1.0", pods) }]],
    },
  ],
  poolRules: [{ namespace: "exact", pool: "exact" }],
});

/** The last of so many addresses; at most 65,000. */
function last(first: string, count: number): string {
  const [a, b, c, d] = first.split(".").map(Number);
  const low = (c ?? 0) * 256 + (d ?? 0) + count - 1;
  return `${a}.${b}.${low >> 8}.${low & 255}`;
}

const deployments = (namespace: Namespace, replicas: number): object => ({
  apiVersion: "v1",
  kind: "List",
  items: Array.from({ length: DEPLOYMENTS }, (_, number) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace, name: `app-${number}` },
    spec: {
      replicas,
      selector: { matchLabels: { app: `app-${number}` } },
      template: {
        metadata: { labels: { app: `app-${number}` } },
        spec: {
          terminationGracePeriodSeconds: 1,
          automountServiceAccountToken: false,
          containers: [{ name: "main", image: "none" }],
        },
      },
    },
  })),
});

/** @param state takes what programs write @param each pods of a Deployment; even */
export async function thousand(state: string, each: number): Promise<readonly Phase[]> {
  const pods = DEPLOYMENTS * each;
  await using stack = new AsyncDisposableStack();
  const places = stack.use(await makePlaces(NODES));
  const kubernetes = stack.use(await controlPlane({ addresses: [CONTROL_PLANE], controllers: true }));
  await applyStore(kubernetes);
  await kubernetes.kubectl(["apply", "--filename=-"], { apiVersion: "v1", kind: "List", items: serviceAccount() });
  stack.use(startControllers(kubernetes));
  const kubeconfig = join(state, "kubeconfig");
  writeFileSync(kubeconfig, kubernetes.kubeconfig(await kubernetes.accountToken(), CONTROL_PLANE));

  const [addMs, addresses] = [new Map<string, number>(), new Map<string, string>()];
  let again = 0;
  const { promise: broken, reject } = Promise.withResolvers<never>();
  // As many may come while as many go.
  const sandboxes = stack.use(await makeSandboxes(2 * pods));
  const standIns = new Map<string, StandIn>();
  for (const place of places.all) {
    const directory = join(state, place.name);
    mkdirSync(directory);
    const daemon = stack.use(
      await startDaemon(join(BUILT, "selvedged"), directory, {
        settings: settings(pods, place.name, kubeconfig),
        enter: (argv) => inside(place.name, argv),
        startMs: START_MS,
      }),
    );
    const made = await standIn({
      kubernetes,
      place,
      socket: daemon.socket,
      sandboxes,
      started({ pod, address, addMs: tookMs }) {
        addMs.set(pod.metadata.uid, tookMs);
        addresses.set(pod.metadata.uid, address);
      },
      failed: () => void again++,
      broken: reject,
    });
    standIns.set(place.name, stack.use(made));
  }

  const phases: Phase[] = [];
  for (const namespace of NAMESPACES) {
    await kubernetes.kubectl(["create", "namespace", namespace]);
    const [madeMs, runsMs] = [new Map<string, number>(), new Map<string, number>()];
    const here = new Map<string, PodObject>();
    const hear = (heard: Heard): void => {
      const { uid } = heard.object.metadata;
      const nowMs = performance.now();
      if (heard.type === "DELETED") here.delete(uid);
      else here.set(uid, heard.object);
      if (heard.type === "ADDED") madeMs.set(uid, nowMs);
      if (heard.object.status.phase === "Running" && !runsMs.has(uid)) runsMs.set(uid, nowMs);
      standIns.get(heard.object.spec.nodeName ?? "")?.hear(heard);
    };
    using _following = followPods(kubernetes, namespace, hear, reject);
    const until = (count: number, gone: ReadonlySet<string> = new Set()): Promise<true> =>
      eventually(
        `${count} pods run in ${namespace}`,
        async () => {
          const all = [...here.values()];
          const isOne = ({ metadata: { uid }, status }: PodObject) => status.phase === "Running" && !gone.has(uid);
          return (all.length === count && all.every(isOne)) || undefined;
        },
        PATIENCE_MS,
      );
    /** Until all pods run, and none of those that are to go is there. */
    const measured = async (what: string, work: () => Promise<unknown>, gone?: ReadonlySet<string>): Promise<void> => {
      const [sinceMs, before] = [performance.now(), again];
      process.stderr.write(`bench: ${namespace}: ${what}\n`);
      await work();
      await Promise.race([until(pods, gone), broken]);
      if (new Set(Array.from(here.keys(), (uid) => addresses.get(uid))).size !== pods)
        throw new Error(`${what}: pods have the same address`);
      const found = phase(`${namespace}: ${what}`, sinceMs, { madeMs, runsMs, addMs }, again - before);
      process.stderr.write(`bench: the last of ${found.pods} after ${found.lastS.toFixed(1)} s\n`);
      phases.push(found);
    };
    const scale = (replicas: number) => () =>
      kubernetes.kubectl(["apply", "--filename=-"], deployments(namespace, replicas));
    await measured(`${DEPLOYMENTS} Deployments of ${each}`, scale(each));
    const remove = () => kubernetes.ask("DELETE", `/api/v1/namespaces/${namespace}/pods`);
    await measured("all deleted, and made again", remove, new Set(here.keys()));
    await scale(each / 2)();
    await Promise.race([until(pods / 2), broken]);
    await measured("from half of them to all", scale(each));
    await kubernetes.kubectl(["delete", "deployments", "--all", `--namespace=${namespace}`, "--wait=false"]);
    await Promise.race([until(0), broken]);
  }
  return phases;
}
