/** `npm run bench -- pod-start`: how long pods of a cluster take to start, and which part of it is ours. ../run.sh makes the node that it runs on. */
import { run } from "../further.ts";
import { type Machine, machine, machineText } from "../machine.ts";
import { number, table } from "../table.ts";
import { hundred } from "./hundred.ts";
import type { Phase } from "./measured.ts";
import { thousand } from "./thousand.ts";

interface Measured {
  readonly machine: Machine;
  readonly kubelet: Phase;
  readonly nodes: readonly Phase[];
}

async function measure(state: string, isQuick: boolean): Promise<Measured> {
  const nodes = await thousand(state, isQuick ? 2 : 10);
  const kubelet = await hundred(isQuick ? 20 : 100);
  return { machine: machine(), kubelet, nodes };
}

const rows = (phases: readonly Phase[]): string =>
  table(
    ["what", "pods", "last, s", "start p50, ms", "p99", "ADD p50, ms", "p99", "ADD share", "tried again"],
    phases.map(({ what, pods, lastS, start, add, share, again }) => [
      what,
      String(pods),
      ...[lastS, start.p50, start.p99, add.p50, add.p99].map(number),
      `${number(100 * share)} %`,
      String(again),
    ]),
  );

const report = ({ machine, kubelet, nodes }: Measured): string =>
  [
    machineText(machine),
    `Ten nodes with API server, scheduler, controllers, plugin and daemons; no kubelet, no containers\n\n${rows(nodes)}`,
    `A kubelet with containerd; ADD is the daemon's part of it\n\n${rows([kubelet])}`,
  ].join("\n\n");

const quick = "a fifth of the pods";
await run({ name: "pod-start", quick, measure, verdicts: () => [], report }, process.argv.slice(2));
