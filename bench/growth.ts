/**
 * ADD and DEL of Selvedge while more and more other pods are attached, then fewer and fewer: a machine that gets slower
 * or faster meanwhile does so on both ways.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { wholeOf } from "./alone.ts";
import { type Pod, perform, performSync, type Subject } from "./chain.ts";
import type { Daemon, Memory } from "./daemon.ts";
import type { Growth } from "./measured.ts";
import { makePods, removePods } from "./pods.ts";
import { summary } from "./statistics.ts";
import { all } from "./storm.ts";

const REST_MS = 30;
/** Others come and go so many at once. */
const AT_ONCE = 16;

interface Samples {
  readonly add: number[];
  readonly del: number[];
  readonly inside: number[];
}

/** @param levels ascending; `samples` are taken on each way. @throws Error when an ADD fails */
export async function growth(
  subject: Subject,
  daemon: Daemon,
  levels: readonly number[],
  samples: number,
): Promise<{ readonly growth: readonly Growth[]; readonly full: Memory }> {
  const found = new Map<number, Samples>(levels.map((level) => [level, { add: [], del: [], inside: [] }]));
  const most = Math.max(...levels);
  const others = makePods("growth", most);
  const results = new Map<Pod, string>();
  let full: Memory | undefined;
  for (const level of [...levels, ...levels.toReversed()]) {
    const arriving = others.slice(0, level).filter((pod) => !results.has(pod));
    const leaving = others.slice(level).filter((pod) => results.has(pod));
    await all(arriving, AT_ONCE, async (pod) => {
      const added = await perform(subject, "ADD", pod);
      results.set(pod, added.output);
      return added;
    });
    if (level === most) full ??= daemon.memory();
    await all(leaving, AT_ONCE, async (pod) => {
      const deleted = await perform(subject, "DEL", pod, results.get(pod));
      results.delete(pod);
      return deleted;
    });
    await daemon.settled();
    await measure(subject, daemon, samples, found.get(level), most);
  }
  removePods(others);
  if (full === undefined) throw new RangeError("no levels to grow to");
  return {
    growth: [...found].map(([pods, { add, del, inside }]) => ({
      pods,
      add: summary(add),
      del: summary(del),
      inside: summary(inside),
    })),
    full,
  };
}

/** `first`: numbers below it are taken by the others. */
async function measure(subject: Subject, daemon: Daemon, samples: number, into: Samples | undefined, first: number) {
  const pods = makePods("growing", samples);
  for (const each of pods) {
    const pod = { ...each, number: first + each.number };
    const added = performSync(subject, "ADD", pod);
    into?.add.push(added.tookMs);
    into?.inside.push(wholeOf(await daemon.trace(pod.id)));
    await sleep(REST_MS);
    into?.del.push(performSync(subject, "DEL", pod, added.output).tookMs);
    await sleep(REST_MS);
  }
  removePods(pods);
  await daemon.settled();
}
