/** Many pods, a fixed number of them at once: ADD all, then DEL all. */
import { type Pod, perform, type Subject, type Timed } from "./chain.ts";
import type { Daemon } from "./daemon.ts";
import type { Storm } from "./measured.ts";
import { makePods, removePods } from "./pods.ts";
import { nowMs } from "./process.ts";
import { mean, summary } from "./statistics.ts";
import type { SubjectName } from "./subjects.ts";

export interface Wanted {
  readonly subject: SubjectName;
  readonly pods: number;
  readonly atOnce: number;
}

/** An ADD that fails is counted and its DEL is done all the same. @throws Error when none succeeds */
export async function storm(
  subject: Subject,
  daemon: Daemon,
  { subject: name, pods: count, atOnce }: Wanted,
): Promise<Storm> {
  const pods = makePods(`storm-${name.replace(" ", "-")}-${count}-${atOnce}`, count);
  const cpuBefore = daemon.cpuMs();
  const adds = await all(pods, atOnce, (pod) => perform(subject, "ADD", pod).catch(() => undefined));
  const cpuMs = daemon.cpuMs() - cpuBefore;
  const results = new Map(pods.map((pod, i) => [pod, adds.done[i]?.output]));
  const dels = await all(pods, atOnce, (pod) => perform(subject, "DEL", pod, results.get(pod)).catch(() => undefined));
  removePods(pods);
  await daemon.settled();
  const good = adds.done.filter((each) => each !== undefined);
  const failures = adds.done.length - good.length + dels.done.filter((each) => each === undefined).length;
  return {
    subject: name,
    pods: count,
    atOnce,
    addsPerSecond: (good.length * 1_000) / adds.tookMs,
    delsPerSecond: (count * 1_000) / dels.tookMs,
    add: summary(good.map(({ tookMs }) => tookMs)),
    failures,
    pluginCpuMs: mean(good.map((each) => each.cpuMs)),
    ...(name.startsWith("selvedge") ? { daemonCpuMs: cpuMs / count } : {}),
  };
}

/** Results in the order of the pods. */
export async function all(
  pods: readonly Pod[],
  atOnce: number,
  work: (pod: Pod) => Promise<Timed | undefined>,
): Promise<{ readonly tookMs: number; readonly done: readonly (Timed | undefined)[] }> {
  const done: (Timed | undefined)[] = [];
  const left = [...pods.entries()].values();
  const startedMs = nowMs();
  const worker = async () => {
    for (const [i, pod] of left) done[i] = await work(pod);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { tookMs: nowMs() - startedMs, done };
}
