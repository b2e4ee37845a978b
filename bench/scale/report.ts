/** A run of the scale benchmark as text, at most 120 columns wide. */
import { machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { number, table } from "../table.ts";
import type { Verdict } from "../targets.ts";
import { podsIn } from "./cluster.ts";
import type { Real, Scale } from "./measured.ts";
import type { Traffic } from "./wiretap.ts";

export function report(scale: Scale, verdicts: readonly Verdict[]): string {
  const { machine, real } = scale;
  const sections: readonly (readonly [title: string, text: string])[] = [
    ["Deciding alone, without a kernel: a node of a large cluster begins, ms", cold(scale)],
    ["The same, then one thing happens at a time, µs", changes(scale)],
    [`The real daemon among ${real.nodes} nodes, ms`, among(real)],
    ["Traffic between the daemon and etcd, both ways", traffic(real)],
    ["Targets", targets(verdicts)],
  ];
  return [machineText(machine), ...sections.map(([title, text]) => `${title}\n\n${text}`)].join("\n\n");
}

const cold = ({ cold: rows }: Scale): string =>
  table(
    ["nodes", "pods", "records", "facts", "store read", "view", "desired and diff", "whole", "CPU", "RSS MiB"],
    rows.map(({ shape, records, facts, load, view, desired, whole, cpu, rssMib }) => [
      ...[shape.nodes, podsIn(shape), records, facts].map(String),
      ...[load, view, desired, whole, cpu, rssMib].map(number),
    ]),
    [],
  );

const changes = ({ changes: rows }: Scale): string =>
  table(
    ["nodes", "a node joins, p50", "p99", "a node restarts, p50", "p99", "a pod moves, p50", "p99"],
    rows.map(({ shape, join, restart, move }) => [
      String(shape.nodes),
      ...[join, restart, move].flatMap(({ p50, p99 }) => [number(p50 * 1_000), number(p99 * 1_000)]),
    ]),
    [],
  );

const among = ({ start, idle, join, move, rolling, memory }: Real): string =>
  table(
    ["what happens", "until it is in the kernel", "p99", "daemon's CPU", "RSS MiB"],
    [
      ["it starts and has all of them", number(start.whole), "", number(start.cpu), number(start.memory.rssMib)],
      [`  of that, ${start.operations} operations`, number(start.programming), "", "", ""],
      [`nothing, for ${idle.forMs} ms`, "", "", number(idle.cpu), ""],
      ["a node joins", number(join.until.p50), number(join.until.p99), number(join.cpu), ""],
      ["a pod with a fixed address moves", number(move.until.p50), number(move.until.p99), number(move.cpu), ""],
      [`${rolling.nodes} nodes restart`, number(rolling.took), "", number(rolling.cpu), number(memory.rssMib)],
    ],
  );

const traffic = ({ start, idle, join, move, rolling }: Real): string =>
  table(
    ["what happens", "asked, bytes", "messages", "told, bytes", "messages"],
    [
      ["it starts", ...both(start.traffic)],
      [`nothing, for ${idle.forMs} ms`, ...both(idle.traffic)],
      ["a node joins", ...both(join.traffic)],
      ["a pod with a fixed address moves", ...both(move.traffic)],
      [`${rolling.nodes} nodes restart`, ...both(rolling.traffic)],
    ],
  );

const both = ({ asked, told }: Traffic): string[] =>
  [asked.bytes, asked.messages, told.bytes, told.messages].map((each) =>
    each >= 100 ? each.toFixed(0) : number(each),
  );
