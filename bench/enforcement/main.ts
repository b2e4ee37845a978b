/**
 * `npm run bench -- enforcement`: from a change of a policy, asked of a real API server, until the kernel of a node has it.
 * ../run.sh makes the node that it runs on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../conformance/program.ts";
import { type JoinedNode, joinedNode } from "../../test/kubernetes/joined-node.ts";
import { run } from "../further.ts";
import { type Machine, machine, machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { type Summary, summary } from "../statistics.ts";
import { number, table } from "../table.ts";
import { type Goal, judged, type Verdict } from "../targets.ts";

interface Amounts {
  readonly pods: number;
  /** Of them on the node. */
  readonly attached: number;
  readonly policies: number;
  readonly changes: number;
}

interface Measured extends Amounts {
  readonly machine: Machine;
  /** From the request to the kernel, ms. */
  readonly whole: Summary;
  /** The daemon's part of it, ms. */
  readonly inDaemon: Summary;
}

/** Kinds of pods, and as many kinds of peers. */
const APPLICATIONS = 100;
const NAMESPACE = "shop";
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const POLICIES = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`;
/** Nothing changes for so long: what was asked for before is in force. */
const QUIET_MS = 2_000;
/** How many requests are under way at once while all of it is made. */
const AT_ONCE = 8;

const app = (n: number): object => ({ app: `app-${n % APPLICATIONS}` });
const pod = (n: number): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: NAMESPACE, name: `pod-${n}`, labels: app(n) },
  spec: { nodeName: "elsewhere", automountServiceAccountToken: false, containers: [{ name: "main", image: "none" }] },
});
const policy = (n: number, peer: number): object => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: NAMESPACE, name: `policy-${n}` },
  spec: {
    podSelector: { matchLabels: app(n) },
    ingress: [{ from: [{ podSelector: { matchLabels: app(peer) } }] }],
  },
});
const running = (n: number): object => {
  const podIP = `10.200.${n >> 8}.${n & 255}`;
  return { status: { phase: "Running", podIP, podIPs: [{ ip: podIP }] } };
};

async function each(count: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const left = Array.from({ length: count }, (_, n) => n).values();
  const worker = async () => {
    for (const n of left) await work(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Changes that the daemon has told the kernel: when, ms since the epoch, and how long that took, ms. */
const changesIn = ({ live }: JoinedNode): readonly { readonly atMs: number; readonly tookMs: number }[] =>
  live.daemon
    .log()
    .split("\n")
    .filter((line) => line.includes('"event":"policies-changed"'))
    .map((line) => JSON.parse(line) as { time: string; tookMs: number })
    .map(({ time, tookMs }) => ({ atMs: Date.parse(time), tookMs }));

async function quiet(joined: JoinedNode): Promise<void> {
  await eventually("nothing changes any more", async () => {
    const before = changesIn(joined).length;
    await sleep(QUIET_MS);
    return changesIn(joined).length === before || undefined;
  });
}

async function measure(_state: string, isQuick: boolean): Promise<Measured> {
  const amounts = isQuick
    ? { pods: 100, attached: 10, policies: 100, changes: 20 }
    : { pods: 1_000, attached: 100, policies: 1_000, changes: 200 };
  await using joined = await joinedNode({ name: "force", config: {} });
  const { kubernetes, live } = joined;
  process.stderr.write("bench enforcement: pods and policies are made\n");
  await each(amounts.pods, (n) => kubernetes.ask("POST", PODS, pod(n)));
  await each(amounts.pods, async (n) => {
    if (n >= amounts.attached) return void (await kubernetes.ask("PATCH", `${PODS}/pod-${n}/status`, running(n)));
    const id = `bench-${n}`;
    await live.pods(id);
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=${NAMESPACE};K8S_POD_NAME=pod-${n}`;
    const { exit, stdout } = await live.ask("ADD", id, { variables: { CNI_ARGS: args } });
    if (exit !== 0) throw new Error(stdout);
  });
  await each(amounts.policies, (n) => kubernetes.ask("POST", POLICIES, policy(n, n)));
  await quiet(joined);
  process.stderr.write("bench enforcement: policies change\n");
  const [whole, inDaemon]: [number[], number[]] = [[], []];
  for (let change = 0; change < amounts.changes; change++) {
    const before = changesIn(joined).length;
    const askedMs = await kubernetes.ask("PUT", `${POLICIES}/policy-${change}`, policy(change, change + 1));
    const { atMs, tookMs } = await eventually("the kernel knows", async () => changesIn(joined)[before]);
    whole.push(atMs - askedMs);
    inDaemon.push(tookMs);
  }
  return { machine: machine(), ...amounts, whole: summary(whole), inDaemon: summary(inDaemon) };
}

const goals: readonly Goal<Measured>[] = [
  { what: "a change in force, 99 %", unit: "ms", limit: 100, bound: "most", from: ({ whole }) => whole.p99 },
  { what: "in the daemon, 99 %", unit: "ms", limit: 10, bound: "most", from: ({ inDaemon }) => inDaemon.p99 },
];

function report(measured: Measured, verdicts: readonly Verdict[]): string {
  const { pods, attached, policies, changes, whole, inDaemon } = measured;
  const rows = table(
    ["pods", "on the node", "policies", "changes", "in force p50, ms", "p99", "daemon p50, ms", "p99"],
    [
      [
        ...[pods, attached, policies, changes].map(String),
        ...[whole.p50, whole.p99, inDaemon.p50, inDaemon.p99].map(number),
      ],
    ],
    [],
  );
  return [
    machineText(measured.machine),
    `From the request of a real API server to the kernel\n\n${rows}`,
    `Targets\n\n${targets(verdicts)}`,
  ].join("\n\n");
}

const quick = "a tenth of the pods, policies and changes; the targets are those of the whole";
const verdicts = (measured: Measured): Verdict[] => judged(goals, measured);
await run({ name: "enforcement", quick, measure, verdicts, report }, process.argv.slice(2));
