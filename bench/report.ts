/** A run as text, at most 120 columns wide. */
import { machineText } from "./machine.ts";
import type { Measured } from "./measured.ts";
import type { Summary } from "./statistics.ts";
import type { SubjectName } from "./subjects.ts";
import { number, table } from "./table.ts";
import type { Verdict } from "./targets.ts";

export type Meanings = Readonly<Record<SubjectName, { readonly means: string }>>;

export function report(measured: Measured, meanings: Meanings, verdicts: readonly Verdict[]): string {
  const sections: readonly (readonly [title: string, text: string, of?: readonly unknown[]])[] = [
    ["What is compared", compared(measured, meanings)],
    ["Alone: milliseconds of whole processes, one pod at a time, alternating", alone(measured)],
    ["Starting a process, ms", started(measured)],
    ["Where the time of an ADD goes, ms (medians)", inside(measured)],
    ["The kernel's floor, µs: the netlink messages of one ADD", floor(measured), measured.floor],
    ["Many pods: a second, and ms of single ADDs; CPU ms an ADD (mean)", storms(measured), measured.storms],
    ["Selvedge full while other pods are attached, ms", growth(measured), measured.growth],
    ["Selvedge full while addresses are reserved for names, ms", reservations(measured), measured.reservations],
    ["Memory of the daemon, MiB", memory(measured), measured.growth],
    ["Targets (ratios of medians of this run)", targets(verdicts)],
  ];
  const told = sections.filter(([, , of]) => of === undefined || of.length > 0);
  return [machineText(measured.machine), ...told.map(([title, text]) => `${title}\n\n${text}`)].join("\n\n");
}

const both = ({ p50, p99 }: Summary): string[] => [number(p50), number(p99)];

const compared = ({ alone }: Measured, meanings: Meanings): string =>
  table(
    ["subject", "what it is"],
    alone.map(({ subject }) => [subject, meanings[subject].means]),
    [0, 1],
  );

function alone({ alone: rows }: Measured): string {
  const bare = rows.find(({ subject }) => subject === "ptp bare");
  const ratio = (value: number, of: number | undefined) => (of === undefined ? "" : number(value / of));
  return table(
    ["subject", "n", "ADD p50", "p99", "/ ptp bare", "CPU ms", "DEL p50", "p99", "/ ptp bare", "CPU ms"],
    rows.map(({ subject, add, del, addCpuMs, delCpuMs }) => [
      subject,
      String(add.count),
      ...both(add),
      ratio(add.p50, bare?.add.p50),
      number(addCpuMs),
      ...both(del),
      ratio(del.p50, bare?.del.p50),
      number(delCpuMs),
    ]),
  );
}

const started = ({ start }: Measured): string =>
  table(
    ["program", "p50", "p99"],
    [
      ["/bin/true (what spawning costs)", ...both(start.nothing)],
      ["selvedge, VERSION: no daemon", ...both(start.version)],
      ["selvedge, STATUS: one call of the daemon", ...both(start.status)],
    ],
  );

function inside({ inside: rows, alone, start }: Measured): string {
  const steps = [...new Set(rows.flatMap((row) => row.steps.map(({ step }) => step)))];
  const ms = (us: number | undefined) => (us === undefined ? "" : number(us / 1_000));
  return table(
    ["subject", "whole", "start", "call, rest", "daemon", "p99", ...steps],
    rows.map(({ subject, whole, steps: own }) => {
      const add = alone.find((row) => row.subject === subject)?.add.p50 ?? 0;
      const rest = add - start.version.p50 - whole.p50 / 1_000;
      const times = steps.map((wanted) => ms(own.find(({ step }) => step === wanted)?.us));
      return [subject, number(add), number(start.version.p50), number(rest), ms(whole.p50), ms(whole.p99), ...times];
    }),
  );
}

function floor({ floor: rows, inside }: Measured): string {
  const kernelOf = (wanted: SubjectName) => inside.find(({ subject }) => subject === wanted)?.kernel.p50 ?? Number.NaN;
  return table(
    ["attachment", "datagrams", "raw p50", "p99", "kernel.apply p50", "/ raw", "in the daemon p50", "/ raw"],
    rows.map(({ shape, raw, apply, datagrams }) => [
      shape === "dual" ? "links, addresses, routes, neighbours" : "and firewall elements, 2 ports, bandwidth",
      String(datagrams),
      ...both(raw),
      number(apply.p50),
      number(apply.p50 / raw.p50),
      number(kernelOf(`selvedge ${shape}`)),
      number(kernelOf(`selvedge ${shape}`) / raw.p50),
    ]),
  );
}

const storms = ({ storms: rows }: Measured): string =>
  table(
    ["subject", "pods", "at once", "ADD/s", "DEL/s", "ADD p50", "p99", "plugin CPU", "daemon CPU", "failed"],
    rows.map((row) => [
      row.subject,
      String(row.pods),
      String(row.atOnce),
      number(row.addsPerSecond),
      number(row.delsPerSecond),
      ...both(row.add),
      number(row.pluginCpuMs),
      row.daemonCpuMs === undefined ? "" : number(row.daemonCpuMs),
      String(row.failures),
    ]),
  );

function growth({ growth: rows }: Measured): string {
  const [none] = rows;
  return table(
    ["other pods", "n", "ADD p50", "p99", "/ at none", "daemon p50", "DEL p50", "p99"],
    rows.map(({ pods, add, del, inside }) => [
      String(pods),
      String(add.count),
      ...both(add),
      number(add.p50 / (none?.add.p50 ?? Number.NaN)),
      number(inside.p50 / 1_000),
      ...both(del),
    ]),
  );
}

function reservations({ reservations: rows }: Measured): string {
  const [none] = rows;
  return table(
    ["reserved", "for the pod", "n", "ADD p50", "p99", "/ at none", "daemon p50"],
    rows.map(({ reserved, own, add, inside }) => [
      String(reserved),
      own ? "yes" : "no",
      String(add.count),
      ...both(add),
      number(add.p50 / (none?.add.p50 ?? Number.NaN)),
      number(inside.p50 / 1_000),
    ]),
  );
}

const memory = ({ memory: { empty, attachments, full } }: Measured): string =>
  table(
    ["attachments", "RSS", "PSS"],
    [
      ["0, just started", number(empty.rssMib), number(empty.pssMib)],
      [String(attachments), number(full.rssMib), number(full.pssMib)],
    ],
  );

export const targets = (verdicts: readonly Verdict[]): string =>
  table(
    ["figure", "measured", "target", "holds"],
    verdicts.map(({ what, value, unit, limit, bound, holds }) => [
      what,
      `${number(value)} ${unit}`,
      `${bound === "most" ? "≤" : "≥"} ${limit} ${unit}`,
      holds ? "yes" : "NO",
    ]),
  );
