/** `npm run bench -- kubernetes`: what a node takes that follows the pods of a large cluster. ../run.sh makes the node that it runs on. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pki } from "../../test/store/pki.ts";
import { type Memory, startDaemon } from "../daemon.ts";
import { run } from "../further.ts";
import { type Machine, machine, machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { DAEMON } from "../subjects.ts";
import { number, table } from "../table.ts";
import { type Goal, judged, type Verdict } from "../targets.ts";
import { type Amounts, collections } from "./cluster.ts";
import { startServer } from "./server.ts";

const TOP = join(import.meta.dirname, "..", "..");
/** For a list of all pods on a slow machine. */
const START_MS = 300_000;

interface Followed {
  readonly machine: Machine;
  readonly amounts: Amounts;
  /** MiB of JSON. */
  readonly told: number;
  /** Until pods can start, ms. */
  readonly start: number;
  /** CPU time of that, ms. */
  readonly cpu: number;
  readonly begun: Memory;
  /** A minute later (quick: five seconds). */
  readonly later: Memory;
}

async function measure(state: string, isQuick: boolean): Promise<Followed> {
  const amounts: Amounts = isQuick
    ? { namespaces: 100, policies: 400, pods: 15_000 }
    : { namespaces: 500, policies: 2_000, pods: 150_000 };
  using authorities = pki();
  const authority = authorities.authority("cluster");
  await using server = await startServer(collections(amounts), authority.issue("kube-apiserver", ["IP:127.0.0.1"]));
  const directory = join(state, "daemon");
  const kubeconfig = join(state, "kubeconfig");
  mkdirSync(directory);
  writeFileSync(kubeconfig, JSON.stringify(accessTo(server.url, authority.ca)));
  const beganMs = performance.now();
  await using daemon = await startDaemon(join(TOP, "dist", "selvedged"), directory, {
    settings: { ...DAEMON, kubernetes: { kubeconfig } },
    startMs: START_MS,
  });
  const start = performance.now() - beganMs;
  const [cpu, begun] = [daemon.cpuMs(), daemon.memory()];
  await sleep(isQuick ? 5_000 : 60_000);
  return { machine: machine(), amounts, told: server.toldBytes / 2 ** 20, start, cpu, begun, later: daemon.memory() };
}

const accessTo = (server: string, ca: string) => ({
  "current-context": "bench",
  contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
  clusters: [{ name: "bench", cluster: { server, "certificate-authority": ca } }],
  users: [{ name: "bench", user: { token: "nobody asks for it" } }],
});

const goals: readonly Goal<Followed>[] = [
  { what: "RSS of the daemon", unit: "MiB", limit: 200, bound: "most", from: ({ later }) => later.rssMib },
];

function report({ machine, amounts, told, start, cpu, begun, later }: Followed, verdicts: readonly Verdict[]): string {
  const { namespaces, policies, pods } = amounts;
  const rows = table(
    ["namespaces", "policies", "pods", "told, MiB", "until pods can start, ms", "CPU", "RSS MiB then", "later"],
    [[...[namespaces, policies, pods].map(String), ...[told, start, cpu, begun.rssMib, later.rssMib].map(number)]],
    [],
  );
  return [
    machineText(machine),
    `The real daemon and an API server that is there on paper\n\n${rows}`,
    `Targets\n\n${targets(verdicts)}`,
  ].join("\n\n");
}

const quick = "a tenth of the pods; the target is that of the whole";
const verdicts = (followed: Followed): Verdict[] => judged(goals, followed);
await run({ name: "kubernetes", quick, measure, verdicts, report }, process.argv.slice(2));
