/** Pods that ask for networks by annotation, on a node whose daemon follows a real API server, and what their status says. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { DEFINITIONS_KIND, definition } from "../support/kubernetes/definitions.ts";
import type { LiveNode } from "../support/live-node.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type JoinedNode, joinedNode } from "./joined-node.ts";
import { runs } from "./runs.ts";

const NETWORKS = "k8s.v1.cni.cncf.io/networks";
const STATUS = "k8s.v1.cni.cncf.io/network-status";
const LONG_MS = 90_000;

let joined: JoinedNode;
let kubernetes: ControlPlane;
let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  joined = await joinedNode({
    name: "nets",
    config: { ipam: { coolDownSeconds: 0 }, attachmentDefinitions: true },
    objects: [DEFINITIONS_KIND],
  });
  ({ live, kubernetes } = joined);
}, 240_000);
afterAll(async () => joined?.[Symbol.asyncDispose](), 60_000);

const ours = (n: number) => ({
  type: "selvedge",
  attachment: "bridge",
  bridge: `br${n}`,
  isGateway: true,
  ipam: { type: "selvedge", ranges: [[{ subnet: `10.${n}.0.0/24` }]] },
});

/** Makes a pod and returns its uid. */
async function made(name: string, networks: unknown): Promise<string> {
  const annotations = { [NETWORKS]: JSON.stringify(networks), other: "stays" };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "shop", name, annotations },
    spec: { containers: [{ name: "main", image: "none" }] },
  };
  await kubernetes.ask("POST", "/api/v1/namespaces/shop/pods", pod);
  return (await metadata(name)).uid;
}

interface Metadata {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
}
async function metadata(name: string): Promise<Metadata> {
  const shown = await kubernetes.kubectl(["get", "pod", name, "--namespace=shop", "--output=json"]);
  return (JSON.parse(shown) as { metadata: Metadata }).metadata;
}
const status = (name: string): Promise<object> =>
  eventually(
    "Kubernetes is told",
    async () => {
      const { [STATUS]: text } = (await metadata(name)).annotations;
      return text === undefined ? undefined : (JSON.parse(text) as object);
    },
    LONG_MS,
  );

/** As a runtime asks that hands no annotations over. */
const add = (id: string, name: string, uid: string) =>
  live.ask("ADD", id, {
    variables: { CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_UID=${uid}` },
  });
async function added(id: string, name: string, uid: string): Promise<void> {
  const { exit, stdout } = await add(id, name, uid);
  expect({ exit, stdout: exit === 0 ? "" : stdout }).toEqual({ exit: 0, stdout: "" });
}
async function told(id: string, name: string, uid: string): Promise<{ readonly code: number; readonly msg: string }> {
  const { exit, stdout } = await add(id, name, uid);
  expect(exit).toBe(1);
  return JSON.parse(stdout) as { code: number; msg: string };
}

runs(
  "a pod and its network made at one moment: it is on it at once, and Kubernetes is told with the standard's words",
  async () => {
    await live.pods("nets-a");
    await kubernetes.kubectl(["apply", "--filename=-"], definition("blue", ours(81)));
    const uid = await made("a", [
      { name: "blue", interface: "b0", ips: ["10.81.0.9"], mac: "02:00:00:00:00:09", "default-route": ["10.81.0.200"] },
    ]);
    await added("nets-a", "a", uid);
    expect(await live.within("nets-a", "ip", "-4", "route", "show", "default")).toMatch(
      /^default via 10\.81\.0\.200 dev b0/,
    );
    expect(await status("a")).toEqual([
      {
        name: "net",
        interface: "eth0",
        ips: [expect.any(String), expect.any(String)],
        mac: expect.any(String),
        default: true,
      },
      {
        name: "shop/blue",
        interface: "b0",
        ips: ["10.81.0.9"],
        mac: "02:00:00:00:00:09",
        default: false,
        gateway: ["10.81.0.200"],
      },
    ]);
    expect((await metadata("a")).annotations.other).toBe("stays");
  },
  LONG_MS,
);

runs(
  "a network that is not there yet fails the ADD by its name, and the next try finds it",
  async () => {
    await live.pods("nets-b");
    const uid = await made("b", [{ name: "late" }]);
    expect(await told("nets-b", "b", uid)).toMatchObject({
      code: 7,
      msg: `${NETWORKS}[0]: there is no NetworkAttachmentDefinition shop/late`,
    });
    await kubernetes.kubectl(["apply", "--filename=-"], definition("late", ours(82)));
    await added("nets-b", "b", uid);
    expect(await status("b")).toMatchObject([{ default: true }, { name: "shop/late", interface: "net1" }]);
  },
  LONG_MS,
);

runs(
  "a pod whose name another has got meanwhile is refused",
  async () => {
    await live.pods("nets-c");
    const uid = await made("c", []);
    await kubernetes.kubectl(["delete", "pod", "c", "--namespace=shop", "--grace-period=0", "--force"]);
    const next = await made("c", []);
    expect(await told("nets-c", "c", uid)).toMatchObject({
      code: 11,
      msg: `pod shop/c was replaced: the runtime attaches the one of uid ${uid}, Kubernetes knows ${next}`,
    });
  },
  LONG_MS,
);

runs(
  "what could not be told is told after an outage and a crash, and what was told is not told again",
  async () => {
    await live.pods("nets-c", "nets-d");
    await kubernetes.kubectl(["apply", "--filename=-"], definition("green", ours(83)));
    const { resourceVersion } = await metadata("a");
    const networks = [{ name: "green", ips: ["10.83.0.9"] }];
    await added("nets-c", "holder", await made("holder", networks));
    const uid = await made("d", networks);
    // Now the daemon knows the pod, which starts while the server is away.
    expect(await told("nets-d", "d", uid)).toMatchObject({ code: 102 });
    await kubernetes.stopServer();
    expect(await live.ask("DEL", "nets-c")).toMatchObject({ exit: 0 });
    await added("nets-d", "d", uid);
    const failed = '"event":"network-status-failed","pod":"shop/d"';
    await eventually("it is tried", async () => live.daemon.log().includes(failed) || undefined, LONG_MS);
    await live.daemon.kill();
    const begun = live.daemon.start();
    await kubernetes.startServer();
    await begun;
    expect(await status("d")).toMatchObject([{ default: true }, { name: "shop/green" }]);
    expect((await metadata("a")).resourceVersion).toBe(resourceVersion);
  },
  4 * LONG_MS,
);
