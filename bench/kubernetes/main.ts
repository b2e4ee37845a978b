/** `npm run bench -- kubernetes`: what a node takes that follows the pods of a large cluster. ../run.sh makes the node that it runs on. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pki } from "../../test/store/pki.ts";
import { type Memory, startDaemon } from "../daemon.ts";
import { run } from "../further.ts";
import { type Machine, machine, machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { median } from "../statistics.ts";
import { DAEMON } from "../subjects.ts";
import { number, table } from "../table.ts";
import { type Goal, judged, type Verdict } from "../targets.ts";
import { type Amounts, collections } from "./cluster.ts";
import { startServer } from "./server.ts";

const TOP = join(import.meta.dirname, "..", "..");
/** For a list of all pods on a slow machine. */
const START_MS = 300_000;
/** Some full passes of the repair loop, which comes every half minute; quick: one. */
const REST_MS = 120_000;
const QUICK_REST_MS = 35_000;
const LOOK_MS = 100;

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
  /** RSS in the time after that, MiB. */
  readonly rest: { readonly p50: number; readonly most: number };
  /** CPU time of that, of one processor. */
  readonly share: number;
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
  const seen: number[] = [];
  const restMs = isQuick ? QUICK_REST_MS : REST_MS;
  for (const sinceMs = performance.now(); performance.now() - sinceMs < restMs; await sleep(LOOK_MS))
    seen.push(daemon.memory().rssMib);
  const share = (daemon.cpuMs() - cpu) / restMs;
  const rest = { p50: median(seen), most: Math.max(...seen) };
  return { machine: machine(), amounts, told: server.toldBytes / 2 ** 20, start, cpu, begun, rest, share };
}

const accessTo = (server: string, ca: string) => ({
  "current-context": "bench",
  contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
  clusters: [{ name: "bench", cluster: { server, "certificate-authority": ca } }],
  users: [{ name: "bench", user: { token: "nobody asks for it" } }],
});

const goals: readonly Goal<Followed>[] = [
  { what: "RSS of the daemon, 50 %", unit: "MiB", limit: 200, bound: "most", from: ({ rest }) => rest.p50 },
  { what: "RSS of the daemon at most", unit: "MiB", limit: 200, bound: "most", from: ({ rest }) => rest.most },
];

function report(
  { machine, amounts, told, start, cpu, begun, rest, share }: Followed,
  verdicts: readonly Verdict[],
): string {
  const { namespaces, policies, pods } = amounts;
  const rows = table(
    [
      ...["namespaces", "policies", "pods", "told, MiB", "until pods can start, ms", "CPU"],
      ...["RSS MiB until then", "then", "at rest p50", "most", "CPU at rest"],
    ],
    [
      [
        ...[namespaces, policies, pods].map(String),
        ...[told, start, cpu, begun.peakMib, begun.rssMib, rest.p50, rest.most].map(number),
        `${number(100 * share)} %`,
      ],
    ],
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
