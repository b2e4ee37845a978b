/**
 * ADD of Selvedge with no reservation and with many, in turns: a machine that gets slower or faster meanwhile does so
 * for both.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { wholeOf } from "./alone.ts";
import { networkOf, type Pod, performSync, type Subject } from "./chain.ts";
import type { Daemon } from "./daemon.ts";
import type { Reserved } from "./measured.ts";
import { makePods, removePods } from "./pods.ts";
import { summary } from "./statistics.ts";

const REST_MS = 30;

export interface Amounts {
  /** How many names have reservations when some have. */
  readonly many: number;
  readonly turns: number;
  /** ADDs of each kind in each turn. */
  readonly samples: number;
}

interface Samples {
  readonly add: number[];
  readonly inside: number[];
}

/** @throws Error when an ADD fails */
export async function reservations(
  subject: Subject,
  daemon: Daemon,
  { many, turns, samples }: Amounts,
): Promise<Reserved[]> {
  // Its ranges come with its configuration: the daemon names their pool for the network.
  const pool = `net:${networkOf(subject)}`;
  const none: Samples = { add: [], inside: [] };
  const others: Samples = { add: [], inside: [] };
  const own: Samples = { add: [], inside: [] };
  for (let turn = 0; turn < turns; turn++) {
    const pods = makePods(`reserved-${turn}`, samples * 3);
    const [without, strangers, owners] = [0, 1, 2].map((i) => pods.slice(i * samples, (i + 1) * samples));
    const running = (owners ?? []).map(({ id }) => `bench/${id}`);
    const idle = Array.from({ length: many - running.length }, (_, i) => `bench/idle-${i}`);
    for (const pod of without ?? []) await measure(subject, daemon, pod, none);
    await daemon.reserve(pool, [...running, ...idle]);
    for (const pod of strangers ?? []) await measure(subject, daemon, pod, others);
    for (const pod of owners ?? []) await measure(subject, daemon, pod, own);
    await daemon.release(pool, [...running, ...idle]);
    removePods(pods);
    await daemon.settled();
  }
  return [
    { reserved: 0, own: false, ...summed(none) },
    { reserved: many, own: false, ...summed(others) },
    { reserved: many, own: true, ...summed(own) },
  ];
}

const summed = ({ add, inside }: Samples) => ({ add: summary(add), inside: summary(inside) });

async function measure(subject: Subject, daemon: Daemon, pod: Pod, into: Samples): Promise<void> {
  const added = performSync(subject, "ADD", pod);
  into.add.push(added.tookMs);
  into.inside.push(wholeOf(await daemon.trace(pod.id)));
  await sleep(REST_MS);
  performSync(subject, "DEL", pod, added.output);
  await sleep(REST_MS);
}
