/** What is found out of pods that start. */
import { mean, type Summary, summary } from "../statistics.ts";

export interface Phase {
  readonly what: string;
  readonly pods: number;
  /** From the request to the last of them, s. */
  readonly lastS: number;
  /** Of each pod: from the moment that the API server told of it until it told that it runs, ms. */
  readonly start: Summary;
  /** Of each pod's ADD, ms. */
  readonly add: Summary;
  /** Mean ADD of a mean start. */
  readonly share: number;
  /** ADDs that failed and were tried again. */
  readonly again: number;
}

export interface Times {
  /** By pod, on the same clock, ms. */
  readonly madeMs: ReadonlyMap<string, number>;
  readonly runsMs: ReadonlyMap<string, number>;
  readonly addMs: ReadonlyMap<string, number>;
}

/** @param sinceMs when it was asked for; of the pods that ran since then. @throws RangeError when there are none */
export function phase(what: string, sinceMs: number, { madeMs, runsMs, addMs }: Times, again: number): Phase {
  const ran = [...runsMs].filter(([, atMs]) => atMs >= sinceMs);
  const starts = ran.map(([pod, atMs]) => atMs - (madeMs.get(pod) ?? Number.NaN));
  const adds = ran.map(([pod]) => addMs.get(pod) ?? Number.NaN);
  return {
    what,
    pods: ran.length,
    lastS: (Math.max(...ran.map(([, atMs]) => atMs)) - sinceMs) / 1_000,
    start: summary(starts),
    add: summary(adds),
    share: mean(adds) / mean(starts),
    again,
  };
}
