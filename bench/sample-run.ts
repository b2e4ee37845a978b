/** A run as it might have gone, for tests: every target is reached. */
import type { Alone, Measured, Storm } from "./measured.ts";
import type { Summary } from "./statistics.ts";
import type { SubjectName } from "./subjects.ts";

export const summed = (p50: number): Summary => ({ count: 100, p50, p99: 2 * p50, least: p50 / 2 });

const alone = (subject: SubjectName, addMs: number, delMs: number): Alone => ({
  subject,
  add: summed(addMs),
  del: summed(delMs),
  addCpuMs: addMs / 2,
  delCpuMs: delMs / 2,
});

const storm = (subject: SubjectName, pods: number, atOnce: number, addsPerSecond: number): Storm => ({
  subject,
  pods,
  atOnce,
  addsPerSecond,
  delsPerSecond: addsPerSecond / 2,
  add: summed(1_000 / addsPerSecond),
  failures: 0,
  pluginCpuMs: 4,
  ...(subject.startsWith("selvedge") ? { daemonCpuMs: 1 } : {}),
});

const steps = [
  { step: "parsed", us: 200 },
  { step: "kernel-applied", us: 800 },
];

export const SAMPLE_RUN: Measured = {
  machine: { kernel: "6.12.0", processors: 2 },
  start: { nothing: summed(1), version: summed(4), status: summed(5) },
  alone: [
    alone("selvedge full", 8, 6),
    alone("chain bridge", 80, 200),
    alone("chain dual", 100, 300),
    alone("ptp bare", 10, 20),
    alone("selvedge plain", 8, 6),
    alone("selvedge planes", 10, 7),
    alone("ptp planes", 40, 60),
    alone("selvedge macvlan", 8, 6),
    alone("macvlan bare", 10, 20),
  ],
  inside: [
    { subject: "selvedge full", whole: summed(1_500), steps, kernel: summed(1_200) },
    { subject: "selvedge dual", whole: summed(1_000), steps, kernel: summed(600) },
  ],
  floor: [
    { shape: "dual", raw: summed(500), datagrams: 2, apply: summed(550) },
    { shape: "full", raw: summed(1_000), datagrams: 4, apply: summed(1_100) },
  ],
  storms: [
    storm("selvedge full", 100, 32, 150),
    storm("selvedge full", 500, 32, 200),
    storm("selvedge full", 500, 8, 250),
    storm("chain bridge", 100, 32, 10),
  ],
  growth: [0, 1_000].map((pods) => ({ pods, add: summed(8), del: summed(6), inside: summed(1_500) })),
  reservations: [0, 1_000].map((reserved) => ({ reserved, own: false, add: summed(8), inside: summed(1_500) })),
  memory: {
    empty: { rssMib: 80, pssMib: 60, peakMib: 60 },
    attachments: 1_000,
    full: { rssMib: 110, pssMib: 90, peakMib: 90 },
  },
};
