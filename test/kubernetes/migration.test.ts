/**
 * A cluster on flannel becomes one on Selvedge by the README's steps, in this order, while pods ask a Service all the time: no
 * request fails. The figures go to a table.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { type Cluster, makeCluster, NEEDS } from "./cluster.ts";
import { DAEMONS, FLANNEL, isFlannels, PLUGINS, podCidr, REMOVE } from "./flannel.ts";
import { FLANNEL_PROGRAMS, SELVEDGE, writeFlannel } from "./images.ts";
import { type Inside, inside, LONG_MS, names, type Pod } from "./inside.ts";
import { whole } from "./manifests.ts";
import { probed, prober } from "./prober.ts";
import { daemonSet, deployment, HOST_PORT, NAMESPACE, POD_PORT, REPLICAS, service } from "./shop.ts";
import { NAMES, type Name, NODES } from "./wire.ts";

/** Until then every kube-proxy knows that it is to end, so that nobody asks one that has. */
const GRACE_SECONDS = 10;
const LIST = "/etc/cni/net.d/05-selvedge.conflist";

const runs = needing(...NEEDS, ...[...FLANNEL_PROGRAMS, ...PLUGINS, "/usr/sbin/iptables"].map((file) => ({ file })));
const stack = new AsyncDisposableStack();
let cluster: Cluster;
let within: Inside;
let probes: ReturnType<typeof probed>;

beforeAll(async () => {
  if (runs === test.skip) return;
  const directory = mkdtempSync(join(tmpdir(), "migration-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const flannel = join(directory, "flannel.tar");
  await writeFlannel(flannel);
  cluster = stack.use(await makeCluster([SELVEDGE, flannel]));
  within = inside(cluster);
  await onEach(async ({ name, on }) => {
    await on("cp", ...PLUGINS, "/opt/cni/bin");
    const spec = { podCIDR: podCidr(name), podCIDRs: [podCidr(name)] };
    await within.kubectl("patch", "node", name, `--patch=${JSON.stringify({ spec })}`);
  });
  await within.apply(...FLANNEL);
  await within.kubectl("create", "namespace", NAMESPACE);
  await within.apply(service("web"), deployment("web", REPLICAS, { graceSeconds: GRACE_SECONDS }));
  const ports = [{ containerPort: POD_PORT, hostPort: HOST_PORT }];
  await within.apply(daemonSet("door", { container: { ports } }));
  await within.serving("web", REPLICAS);
  const path = "--output=jsonpath={.spec.clusterIP}";
  await within.apply(prober(await within.kubectl("get", "service", "web", `--namespace=${NAMESPACE}`, path)));
  await within.serving("prober", NAMES.length);
  probes = probed("migration-kubernetes.md", Object.values(cluster.nodes));
}, 3 * LONG_MS);
afterAll(async () => {
  await stack.disposeAsync();
  if (probes !== undefined) console.info(readFileSync(probes.file, "utf8"));
}, LONG_MS);

const onEach = async (use: (node: Cluster["nodes"]["one"]) => Promise<void>): Promise<void> =>
  void (await Promise.all(Object.values(cluster.nodes).map(use)));

/** Both nodes ask, and are answered. */
const unnoticed = async (step: string, work: () => Promise<void>): Promise<void> =>
  expect(await probes.during(step, work)).toEqual([]);

/** Of an application, on the nodes: which network its pods have. */
const networks = (pods: readonly Pod[]): Record<string, string[]> =>
  Object.fromEntries(
    NAMES.map((name) => [
      name,
      pods
        .filter(({ spec }) => spec.nodeName === name)
        .map(({ status }) => (isFlannels(status.podIP) ? "flannel" : "selvedge")),
    ]),
  );
const both = (one: string, two = one) => ({ one: [one, one], two: [two, two] });

async function allReachAll(...apps: readonly string[]): Promise<void> {
  const pods = (await Promise.all(apps.map((app) => within.serving(app, REPLICAS)))).flat();
  for (const from of pods) expect(await within.reached(from, pods)).toEqual(names(pods));
}

/** A host port of each node leads to its own pod. */
const doorsOpen = (): Promise<void> =>
  onEach(async ({ name, on }) => {
    const doors = await within.serving("door", NAMES.length);
    for (const door of doors.filter(({ spec }) => spec.nodeName !== name)) {
      const url = `http://${NODES[door.spec.nodeName as Name]}:${HOST_PORT}/`;
      expect(await on("busybox", "wget", "-qO-", url)).toBe(`${door.metadata.name}\n`);
    }
  });

/** Whom pods of `late` let in. */
const policy = (...from: readonly object[]): object => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: NAMESPACE, name: "late" },
  spec: { podSelector: { matchLabels: { app: "late" } }, ingress: [{ from }] },
});

const installed = async (): Promise<void> => {
  await within.rolledOut("daemonset/selvedge");
  await onEach(async ({ on }) => void (await eventually("the list is there", () => on("ls", LIST))));
};

/** @param also what is done when it is empty */
async function drained(name: Name, also: () => Promise<void> = async () => {}): Promise<void> {
  const drain = ["drain", name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=50s"];
  await eventually(`${name} is drained`, () => within.kubectl(...drain), LONG_MS);
  await also();
  await within.kubectl("uncordon", name);
  for (const app of ["web", "late"]) await within.serving(app, REPLICAS);
}

/** What a DaemonSet has of it there. */
async function withoutFlannelsPods(name: Name): Promise<void> {
  const where = [`--namespace=${NAMESPACE}`, `--field-selector=spec.nodeName=${name}`];
  const { items } = JSON.parse(await within.kubectl("get", "pods", ...where, "--output=json")) as { items: Pod[] };
  const old = names(items.filter(({ status }) => isFlannels(status.podIP ?? "")));
  if (old.length > 0) await within.kubectl("delete", "pods", `--namespace=${NAMESPACE}`, ...old);
  for (const app of ["prober", "door"]) await within.serving(app, NAMES.length);
}

runs(
  "on flannel every pod reaches every other, and the Service",
  () =>
    unnoticed("flannel", async () => {
      expect(networks(await within.podsOf("web"))).toEqual(both("flannel"));
      await allReachAll("web");
      await doorsOpen();
    }),
  LONG_MS,
);

runs(
  "beside it Selvedge is for new pods, and those of both networks reach each other, on one node and on two",
  () =>
    unnoticed("Selvedge beside it", async () => {
      // Nodes of one segment reach each other without: here there are both networks' tunnels.
      const manifest = whole().replace(/^ {4}cluster:$/m, "$&\n      way: vxlan");
      await cluster.kubernetes.kubectl(["apply", "--filename=-"], manifest);
      await installed();
      await within.ctl("one", "connectivity");
      await within.apply(deployment("late", REPLICAS, { graceSeconds: GRACE_SECONDS }));
      expect(networks(await within.serving("late", REPLICAS))).toEqual(both("selvedge"));
      expect(networks(await within.podsOf("web"))).toEqual(both("flannel"));
      await allReachAll("web", "late");
    }),
  3 * LONG_MS,
);

runs(
  "a policy of Selvedge's knows pods of flannel on its node, and takes others for their node",
  () =>
    unnoticed("a policy", async () => {
      const [web, doors, late] = await Promise.all(["web", "door", "late"].map((app) => within.podsOf(app)));
      const on = (name: Name, pods: readonly Pod[] = []) => pods.filter(({ spec }) => spec.nodeName === name);
      const [[near], [far], [other]] = [on("one", web), on("two", web), on("one", doors)];
      if (near === undefined || far === undefined || other === undefined) throw new Error("they do not run");
      const to = on("one", late);
      const meant = { podSelector: { matchLabels: { app: "web" } } };
      await within.apply(policy(meant));
      for (const from of [far, other])
        await eventually("it is kept out", async () => (await within.isKeptOut(from, to)) || undefined, LONG_MS);
      expect(await within.reached(near, to)).toEqual(names(to));
      await within.apply(policy(meant, ...Object.values(NODES).map((each) => ({ ipBlock: { cidr: `${each}/32` } }))));
      const isLetIn = async () => (await within.reached(far, to)).join() === names(to).join() || undefined;
      await eventually("nodes are let in", isLetIn, LONG_MS);
      expect(await within.reached(near, to)).toEqual(names(to));
      expect(await within.isKeptOut(other, to)).toBe(true);
      await within.kubectl("delete", "networkpolicy", "late", `--namespace=${NAMESPACE}`);
    }),
  2 * LONG_MS,
);

runs(
  "a node without the list is flannel's again when it was drained",
  () =>
    unnoticed("one back on flannel", async () => {
      await drained("one", async () => void (await cluster.nodes.one.on("rm", LIST)));
      expect(networks(await within.podsOf("late"))).toEqual(both("flannel", "selvedge"));
      await within.inSystem("rollout", "restart", "daemonset/selvedge");
      await installed();
    }),
  3 * LONG_MS,
);

runs.each(NAMES)(
  "node %s is Selvedge's when it was drained",
  (name) =>
    unnoticed(`${name} drained`, async () => {
      await drained(name, () => withoutFlannelsPods(name));
      const pods = (await Promise.all(["web", "late"].map((app) => within.podsOf(app)))).flat();
      expect(networks(pods)[name]).toEqual(["selvedge", "selvedge", "selvedge", "selvedge"]);
      await allReachAll("web", "late");
      await doorsOpen();
    }),
  3 * LONG_MS,
);

runs(
  "without flannel pods go on, and others start and end",
  () =>
    unnoticed("flannel removed", async () => {
      const { namespace, name } = DAEMONS;
      await within.kubectl("delete", "daemonset", name, `--namespace=${namespace}`);
      const left = ["get", "pods", `--namespace=${namespace}`, "--output=name"];
      await eventually("it is gone", async () => (await within.kubectl(...left)) === "" || undefined, LONG_MS);
      await onEach(async ({ on }) => {
        await on("sh", "-euc", REMOVE);
        expect(await on("ip", "route", "show", "table", "all")).not.toContain("10.244.");
        expect(await on("iptables-save")).not.toMatch(/CNI-|FLANNEL-|10\.244\./);
      });
      await allReachAll("web", "late");
      await within.kubectl("rollout", "restart", "deployment/late", `--namespace=${NAMESPACE}`);
      await within.kubectl("rollout", "status", "deployment/late", `--namespace=${NAMESPACE}`, "--timeout=50s");
      await allReachAll("web", "late");
      await doorsOpen();
      for (const node of NAMES) {
        expect(await within.ctl(node, "ipam", "leaks")).toMatchObject({ leaks: [] });
        expect(await within.ctl(node, "plan")).toMatchObject({ lines: [] });
      }
    }),
  3 * LONG_MS,
);
