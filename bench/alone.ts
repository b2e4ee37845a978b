/** One pod at a time, every subject once in each round. */
import { setTimeout as sleep } from "node:timers/promises";
import { performSync, type Subject, type Timed } from "./chain.ts";
import type { Daemon, Span } from "./daemon.ts";
import type { Floor as FloorProcess } from "./floor-process.ts";
import type { Alone, Floor, Inside, Measured } from "./measured.ts";
import { makeParents } from "./parents.ts";
import { makePods, removePods } from "./pods.ts";
import { nowMs, runSync } from "./process.ts";
import { SHAPES, type Shape } from "./sample.ts";
import { mean, summary } from "./statistics.ts";
import type { SubjectName } from "./subjects.ts";

/** What ended processes leave to the kernel (links, namespaces) is mostly done after this. */
const REST_MS = 40;
/** First rounds are not counted: bridges are made, caches filled, the daemon's code compiled. */
const WARM_UP = 3;

interface Series {
  readonly add: Timed[];
  readonly del: Timed[];
  readonly traces: Span[][];
}

export interface Players {
  readonly subjects: Readonly<Record<SubjectName, Subject>>;
  readonly daemon: Daemon;
  /** Absent: the kernel's floor is not measured. */
  readonly floor?: FloorProcess;
}

type Result = Pick<Measured, "start" | "alone" | "inside" | "floor">;

export async function alone(players: Players, names: readonly SubjectName[], rounds: number): Promise<Result> {
  const { subjects, daemon } = players;
  const series = new Map(names.map((name): [SubjectName, Series] => [name, { add: [], del: [], traces: [] }]));
  const starts = { nothing: [] as number[], version: [] as number[], status: [] as number[] };
  const shapes = players.floor === undefined ? [] : SHAPES;
  const floors = new Map(shapes.map((shape) => [shape, { raw: [] as number[], apply: [] as number[], datagrams: 0 }]));
  const program = subjects["selvedge full"].plugins[0]?.program ?? "";
  const environment = subjects["selvedge full"].environment;
  makeParents(names.map((name) => subjects[name]));
  const residents = makeResidents(subjects, names);

  for (let round = -WARM_UP; round < rounds; round++) {
    const counts = round >= 0;
    for (const [name, { add, del, traces }] of series) {
      const subject = subjects[name];
      const [pod] = makePods(`alone-${name.replace(" ", "-")}-${round + WARM_UP}`, 1);
      if (pod === undefined) continue;
      await sleep(REST_MS);
      const added = performSync(subject, "ADD", pod);
      if (name.startsWith("selvedge") && counts) traces.push(await daemon.trace(pod.id));
      await sleep(REST_MS / 4);
      const deleted = performSync(subject, "DEL", pod, added.output);
      if (counts) add.push(added);
      if (counts) del.push(deleted);
      removePods([pod]);
    }
    await sleep(REST_MS);
    for (const shape of shapes) {
      const one = floors.get(shape);
      for (const how of ["raw", "apply"] as const) {
        const { us, datagrams } = await lay(players.floor, how, shape, round + WARM_UP);
        if (counts) one?.[how].push(us);
        if (one !== undefined && datagrams !== undefined) one.datagrams = datagrams;
      }
    }
    const started = {
      nothing: timed(["/bin/true"], {}),
      version: timed([program], { CNI_COMMAND: "VERSION" }),
      status: timed([program], { ...environment, CNI_COMMAND: "STATUS", CNI_PATH: "/" }),
    };
    if (counts) for (const key of ["nothing", "version", "status"] as const) starts[key].push(started[key]);
  }
  for (const { subject, pod, result } of residents) performSync(subject, "DEL", pod, result);
  removePods(residents.map(({ pod }) => pod));
  return {
    start: { nothing: summary(starts.nothing), version: summary(starts.version), status: summary(starts.status) },
    alone: [...series].map(([subject, { add, del }]) => aloneOf(subject, add, del)),
    inside: [...series]
      .filter(([, { traces }]) => traces.length > 0)
      .map(([name, { traces }]) => insideOf(name, traces)),
    floor: [...floors].map(([shape, { raw, apply, datagrams }]): Floor => {
      return { shape, raw: summary(raw), apply: summary(apply), datagrams };
    }),
  };
}

/** One pod of each subject stays attached meanwhile: otherwise a bridge would be made and removed with every pod. */
function makeResidents(subjects: Players["subjects"], names: readonly SubjectName[]) {
  const pods = makePods("resident", names.length);
  return names.flatMap((name, i) => {
    const made = pods[i];
    if (made === undefined) return [];
    const pod = { ...made, number: 1 };
    const subject = subjects[name];
    return [{ subject, pod, result: performSync(subject, "ADD", pod).output }];
  });
}

/** Its links stay: they vanish with the program's namespace. */
async function lay(floor: FloorProcess | undefined, how: "raw" | "apply", shape: Shape, round: number) {
  const [pod] = makePods(`floor-${how}-${shape}-${round}`, 1);
  if (pod === undefined || floor === undefined) throw new Error("nothing to lay it with");
  const number = round * 4 + SHAPES.indexOf(shape) * 2 + (how === "raw" ? 0 : 1);
  return floor.make({ how, shape, id: pod.id, netns: pod.netns, number });
}

/** @throws Error when the program fails */
function timed(argv: readonly string[], environment: Readonly<Record<string, string>>): number {
  const startedMs = nowMs();
  const input = JSON.stringify({ cniVersion: "1.1.0", name: "bench", type: "selvedge" });
  const { exit, stdout, stderr } = runSync({ argv, environment, input });
  const tookMs = nowMs() - startedMs;
  if (exit !== 0) throw new Error(`${argv.join(" ")}: exit ${exit}: ${stdout || stderr}`);
  return tookMs;
}

const aloneOf = (subject: SubjectName, add: readonly Timed[], del: readonly Timed[]): Alone => ({
  subject,
  add: summary(add.map(({ tookMs }) => tookMs)),
  del: summary(del.map(({ tookMs }) => tookMs)),
  addCpuMs: mean(add.map(({ cpuMs }) => cpuMs)),
  delCpuMs: mean(del.map(({ cpuMs }) => cpuMs)),
});

/** Every ADD of one subject has the same steps. */
function insideOf(subject: SubjectName, traces: readonly (readonly Span[])[]): Inside {
  const steps = (traces[0] ?? []).map(({ step }, i) => ({
    step,
    us: summary(traces.map((spans) => spans[i]?.us ?? 0)).p50,
  }));
  const kernel = traces.map((spans) => spans.find(({ step }) => step === "kernel-applied")?.us ?? 0);
  return { subject, whole: summary(traces.map(wholeOf)), steps, kernel: summary(kernel) };
}

export const wholeOf = (spans: readonly Span[]): number => spans.reduce((sum, { us }) => sum + us, 0);
