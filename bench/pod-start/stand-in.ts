/**
 * In the kubelet's place on a node that runs nothing: calls the real plugin for each pod that is bound to the node, as a runtime
 * does, and tells the API server that the pod runs, or is gone. No container is ever started.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BUILT } from "../../conformance/daemon.ts";
import { inside, type Ran, run } from "../../conformance/program.ts";
import type { ControlPlane } from "../../test/kubernetes/control-plane.ts";
import type { Heard, PodObject } from "./follow.ts";
import type { Sandboxes } from "./sandboxes.ts";
import type { Place } from "./wire.ts";

/** Pods that come or go at once: containerd of ten machines would run all of them, two processors of one are soon full. */
const AT_ONCE = 4;
/** kubelet waits so long until it tries a pod again (pkg/kubelet, backOffPeriod). */
const AGAIN_MS = 10_000;
/** Well below the 40 s after which a node counts as lost (node-monitor-grace-period). */
const ALIVE_MS = 10_000;

export interface Started {
  readonly pod: PodObject;
  readonly address: string;
  /** Of the ADD that succeeded, ms: the whole process of the plugin. */
  readonly addMs: number;
}

export interface StandInOptions {
  readonly kubernetes: ControlPlane;
  readonly place: Place;
  /** Where the plugin finds the daemon. */
  readonly socket: string;
  readonly sandboxes: Sandboxes;
  started(started: Started): void;
  /** An ADD that failed, and is tried again. @param why what the plugin said */
  failed(why: string): void;
  /** Something that must not be: the run is worth nothing. */
  broken(why: unknown): void;
}

/** As a runtime names it. */
interface Sandbox {
  readonly id: string;
  readonly netns: string;
}

export interface StandIn extends AsyncDisposable {
  hear(heard: Heard): void;
}

export async function standIn(options: StandInOptions): Promise<StandIn> {
  const { kubernetes, place, socket, sandboxes, started, failed, broken } = options;
  const ending = new AbortController();
  const pods = new Map<string, { latest: PodObject; done: Promise<void> }>();
  const turn = turns(AT_ONCE);
  await kubernetes.ask("POST", "/api/v1/nodes", nodeObject(place));
  const stillAlive = alive(kubernetes, place.name, ending.signal);

  const plugin = (verb: "ADD" | "DEL", { id, netns }: Sandbox, { metadata }: PodObject): Promise<Ran> =>
    run(inside(place.name, [join(BUILT, "selvedge")]), {
      environment: {
        SELVEDGE_SOCKET: socket,
        CNI_COMMAND: verb,
        CNI_CONTAINERID: id,
        CNI_NETNS: netns,
        CNI_IFNAME: "eth0",
        CNI_PATH: BUILT,
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${metadata.namespace};K8S_POD_NAME=${metadata.name};K8S_POD_INFRA_CONTAINER_ID=${id};K8S_POD_UID=${metadata.uid}`,
      },
      input: JSON.stringify({ cniVersion: "1.0.0", name: "selvedge", type: "selvedge" }),
      deadlineMs: 120_000,
    });
  const goes = (sandbox: Sandbox, pod: PodObject) =>
    turn(async () => {
      const { exit, stdout, stderr } = await plugin("DEL", sandbox, pod);
      if (exit !== 0) throw new Error(`DEL ${sandbox.id}: ${stdout}${stderr}`);
      sandboxes.give(sandbox.netns);
    });
  const pathTo = ({ metadata: { namespace, name } }: PodObject) => `/api/v1/namespaces/${namespace}/pods/${name}`;
  const isWanted = (uid: string): boolean => pods.get(uid)?.latest.metadata.deletionTimestamp === undefined;

  /** Returns what the pod has, if it was wanted for so long. */
  const comes = async (pod: PodObject): Promise<Sandbox | undefined> => {
    const { uid } = pod.metadata;
    for (let attempt = 0; isWanted(uid); attempt++) {
      const sandbox = { id: `${uid.slice(0, 13)}-${attempt}`, netns: sandboxes.take() };
      const ran = await turn(() => plugin("ADD", sandbox, pod));
      if (ran.exit === 0) {
        const { ips } = JSON.parse(ran.stdout) as { ips: readonly { address: string }[] };
        const address = ips[0]?.address.replace(/\/\d+$/, "") ?? "";
        await kubernetes.ask("PATCH", `${pathTo(pod)}/status`, running(place, address));
        started({ pod, address, addMs: ran.tookMs });
        return sandbox;
      }
      failed(ran.stdout);
      await goes(sandbox, pod);
      await sleep(AGAIN_MS, undefined, { signal: ending.signal });
    }
    return undefined;
  };

  const gone = new Map<string, () => void>();
  const live = async (pod: PodObject): Promise<void> => {
    const { uid } = pod.metadata;
    const deleted = new Promise<void>((resolve) => gone.set(uid, resolve));
    const sandbox = await comes(pod);
    if (isWanted(uid)) await deleted;
    if (sandbox !== undefined) await goes(sandbox, pod);
    await kubernetes.ask("DELETE", `${pathTo(pod)}?gracePeriodSeconds=0`);
  };

  return {
    hear({ type, object }) {
      const { uid, deletionTimestamp } = object.metadata;
      const known = pods.get(uid);
      if (type === "DELETED") {
        pods.delete(uid);
        gone.delete(uid);
        return;
      }
      if (known === undefined) {
        const entry = { latest: object, done: Promise.resolve() };
        pods.set(uid, entry);
        entry.done = live(object).catch((why: unknown) => {
          if (!ending.signal.aborted) broken(why);
        });
        return;
      }
      known.latest = object;
      if (deletionTimestamp !== undefined) gone.get(uid)?.();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await stillAlive;
    },
  };
}

/** Work in the order in which it is asked for, so much of it at once. */
function turns(atOnce: number) {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

async function alive({ ask }: ControlPlane, node: string, signal: AbortSignal): Promise<void> {
  const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  const renewed = () => ({ spec: { renewTime: new Date().toISOString().replace("Z", "000Z") } });
  await ask("POST", leases, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: node, namespace: "kube-node-lease" },
    spec: { holderIdentity: node, leaseDurationSeconds: 40, ...renewed().spec },
  });
  while (!signal.aborted) {
    await sleep(ALIVE_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await ask("PATCH", `${leases}/${node}`, renewed());
  }
}

const RESOURCES = { cpu: "64", memory: "256Gi", pods: "250", "ephemeral-storage": "1Ti" };

const nodeObject = ({ name, address }: Place): object => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
  status: {
    addresses: [{ type: "InternalIP", address }],
    capacity: RESOURCES,
    allocatable: RESOURCES,
    conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "nothing runs here", ...now() }],
  },
});

const running = ({ address: hostIP }: Place, podIP: string): object => ({
  status: {
    phase: "Running",
    hostIP,
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: now().lastTransitionTime,
    conditions: ["Initialized", "Ready", "ContainersReady"].map((type) => ({ type, status: "True", ...now() })),
  },
});

const now = () => {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  return { lastTransitionTime: time };
};
