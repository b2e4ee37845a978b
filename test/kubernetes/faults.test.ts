/**
 * What befalls a cluster at work, with a hundred pings a second and a long TCP connection between pods on one node and on two:
 * nothing is lost that had no reason to be. The figures go to a table.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { type Path, RESULTS, type Watched, watch } from "../cluster/watched.ts";
import { needing } from "../support/requirement.ts";
import { type Again, addTable, again } from "./again.ts";
import { type Cluster, makeCluster, NEEDS } from "./cluster.ts";
import { NEXT, SELVEDGE, VERSION } from "./images.ts";
import { type Inside, inside, LONG_MS, names, type Pod } from "./inside.ts";
import { whole } from "./manifests.ts";
import { deployment, NAMESPACE, REPLICAS, service, statefulSet } from "./shop.ts";
import { starve } from "./starved.ts";
import { NAMES, type Name } from "./wire.ts";

/** `npm run test:kubernetes -- --long` keeps the API server away for ten minutes. */
const AWAY_S = process.env.SELVEDGE_LONG === undefined ? 30 : 600;
const TABLE = "kubernetes";
const DAEMONS = "daemonset/selvedge";

const runs = needing(...NEEDS, { program: "ping" }, { file: NEXT.archive });
const stack = new AsyncDisposableStack();
let cluster: Cluster;
let within: Inside;
let watched: Watched;
const started: Again[] = [];

beforeAll(async () => {
  if (runs === test.skip) return;
  cluster = stack.use(await makeCluster([SELVEDGE, NEXT.archive]));
  within = inside(cluster);
  await cluster.kubernetes.kubectl(["apply", "--filename=-"], whole());
  await within.rolledOut(DAEMONS);
  await within.kubectl("create", "namespace", NAMESPACE);
  await within.apply(
    deployment("web", REPLICAS),
    service("db", { clusterIP: "None" }),
    statefulSet("db", NAMES.length),
  );
  const pods = await within.serving("web", REPLICAS);
  const [one, two] = NAMES.map((name) => pods.filter(({ spec }) => spec.nodeName === name));
  watched = stack.use(
    await watch(TABLE, [
      await path("on one", one?.[0], one?.[1]),
      await path("on two", two?.[0], two?.[1]),
      await path("one to two", one?.[0], two?.[0]),
    ]),
  );
}, 3 * LONG_MS);
afterAll(async () => {
  await stack.disposeAsync();
  if (started.length === 0) return;
  const file = join(RESULTS, `cluster-faults-${TABLE}.md`);
  addTable(file, started);
  console.info(readFileSync(file, "utf8"));
}, LONG_MS);

async function path(name: string, from: Pod | undefined, to: Pod | undefined): Promise<Path> {
  if (from === undefined || to === undefined) throw new Error(`${name}: too few pods`);
  return { name, from: await within.end(from), to: await within.end(to) };
}

/** What a pod does not change while it lives. */
const lasting = ({ metadata, spec, status }: Pod) => ({
  name: metadata.name,
  node: spec.nodeName,
  address: status.podIP,
  restarts: status.containerStatuses?.map(({ restartCount }) => restartCount),
});

/** One on each node comes, is reached from everywhere, and goes. @param fault that they come after */
async function podsStart(fault: string): Promise<void> {
  const sinceMs = Date.now();
  await within.apply(deployment("late", NAMES.length));
  const late = await within.serving("late", NAMES.length);
  started.push(again(fault, sinceMs, late));
  for (const from of await within.podsOf("web")) expect(await within.reached(from, late)).toEqual(names(late));
  await within.kubectl("delete", "deployment", "late", `--namespace=${NAMESPACE}`);
  await eventually("they are gone", async () => (await within.podsOf("late")).length === 0 || undefined, LONG_MS);
}

/** Neither packets nor pods are lost, and pods start again. @param work ends when what was broken is in its place again */
async function harmless(fault: string, work: () => Promise<void>): Promise<void> {
  const before = await within.serving("web", REPLICAS);
  const seen = await watched.during(fault, async () => {
    await work();
    await podsStart(fault);
  });
  expect(seen).toHaveLength(3);
  for (const { path, lost, isStreaming } of seen)
    expect({ path, lost, isStreaming }).toEqual({ path, lost: 0, isStreaming: true });
  expect((await within.serving("web", REPLICAS)).map(lasting)).toEqual(before.map(lasting));
}

const onBoth = (use: (node: Cluster["nodes"]["one"]) => Promise<void>): Promise<void> =>
  Promise.all(Object.values(cluster.nodes).map(use)).then(() => {});

const daemonOn = async (name: Name): Promise<Pod> => {
  const listed = await within.inSystem("get", "pods", "--selector=app.kubernetes.io/name=selvedge", "--output=json");
  const found = (JSON.parse(listed) as { items: Pod[] }).items.find(({ spec }) => spec.nodeName === name);
  if (found === undefined) throw new Error(`no daemon on ${name}`);
  return found;
};

/** Both nodes: it is the daemon's version, and that of the plugin which the runtime finds. */
const areServedBy = (version: string): Promise<void> =>
  onBoth(async ({ name, on }) => {
    expect(await within.ctl(name, "status")).toMatchObject({ version });
    expect(await on("/opt/cni/bin/selvedge", "--version")).toBe(`selvedge ${version}\n`);
  });

const HARMLESS: readonly (readonly [fault: string, work: () => Promise<void>])[] = [
  ["kubelet killed", () => onBoth(({ restart }) => restart("kubelet"))],
  ["containerd killed", () => onBoth(({ restart }) => restart("containerd"))],
  [
    "the daemons replaced",
    async () => {
      await within.inSystem("rollout", "restart", DAEMONS);
      await within.rolledOut(DAEMONS);
    },
  ],
  [
    "a daemon out of memory",
    async () => {
      const { metadata, status } = await daemonOn("one");
      const [before] = status.containerStatuses ?? [];
      starve(before?.containerID ?? "");
      await eventually(
        "the kernel ends it",
        async () => {
          // It needs memory of its container, too; whether it gets an answer is no matter.
          await within.inSystem("exec", metadata.name, "--", "selvedgectl", "attachments").catch(() => "");
          const [now] = (await daemonOn("one")).status.containerStatuses ?? [];
          const isNew = now !== undefined && now.restartCount > (before?.restartCount ?? 0);
          return isNew ? now.lastState.terminated?.exitCode === 137 || undefined : undefined;
        },
        LONG_MS,
      );
      await within.rolledOut(DAEMONS);
    },
  ],
  [
    `the API server away for ${AWAY_S} s`,
    async () => {
      await cluster.kubernetes.stopServer();
      await sleep(AWAY_S * 1_000);
      await cluster.kubernetes.startServer();
    },
  ],
  [
    "an upgrade",
    async () => {
      await within.inSystem("set", "image", DAEMONS, `drop-ins=${NEXT.image}`, `selvedged=${NEXT.image}`);
      await within.rolledOut(DAEMONS);
      await areServedBy(NEXT.version);
    },
  ],
  [
    "a downgrade",
    async () => {
      await within.inSystem("rollout", "undo", DAEMONS);
      await within.rolledOut(DAEMONS);
      await areServedBy(VERSION);
    },
  ],
];
runs.each(HARMLESS)("%s: no packet is lost, no pod is touched", harmless, (AWAY_S + 600) * 1_000);

runs(
  "a node that loses all but its disk runs its pods again, and leaks no address; the other one loses nothing",
  async () => {
    const fixed = await within.addressesOf("db", NAMES.length);
    const before = await within.podsOf("web");
    const [other] = await watched.during("node one rebooted", () => cluster.nodes.one.reboot(), ["on two"]);
    expect(other).toMatchObject({ lost: 0, isStreaming: true });
    const sinceMs = Date.now();
    // Until kubelet has looked at them they count as they were.
    await eventually(
      "its pods have started again",
      async () => {
        const starts = (await within.podsOf("web")).map(lasting).filter(({ node }) => node === "one");
        return starts.every(({ restarts = [0] }) => restarts.every((count) => count > 0)) || undefined;
      },
      LONG_MS,
    );
    const pods = await within.serving("web", REPLICAS);
    expect(names(pods)).toEqual(names(before));
    for (const from of pods) expect(await within.reached(from, pods)).toEqual(names(pods));
    started.push({ fault: "node one rebooted", wholeS: (Date.now() - sinceMs) / 1_000 });
    expect(await within.addressesOf("db", NAMES.length)).toEqual(fixed);
    await eventually(
      "every attachment is of a pod",
      async () => {
        const { attachments } = (await within.ctl("one", "attachments")) as { attachments: object[] };
        return attachments.length === (await within.attachedTo("one")) || undefined;
      },
      LONG_MS,
    );
    expect(await within.ctl("one", "ipam", "leaks")).toMatchObject({ leaks: [] });
    expect(await within.ctl("one", "plan")).toMatchObject({ lines: [] });
  },
  4 * LONG_MS,
);
