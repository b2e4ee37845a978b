/** One loop that events only poke: bursts become one run, a poke during a run is not lost, failure is retried by the next run. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Loop {
  /** Look again soon. */
  poke(): void;
  /** Looks now and resolves when a run that began after this call has ended. */
  now(): Promise<void>;
  /** Resolves when the signal has ended the loop and the run under way is over. */
  readonly done: Promise<void>;
}

/**
 * Runs `once` when poked (after `debounceMs`, so that a burst is one run) and at least every `everyMs`; never twice at
 * a time. `once` reports its own failures: what it throws is a bug and ends the loop through `done`.
 */
export function loop(
  once: () => Promise<void>,
  { everyMs, debounceMs, signal }: { everyMs: number; debounceMs: number; signal: AbortSignal },
): Loop {
  let wake = Promise.withResolvers<void>();
  let waiting: (() => void)[] = [];
  let hurry = Promise.withResolvers<void>();
  const run = async () => {
    while (!signal.aborted) {
      wake = Promise.withResolvers<void>();
      const served = waiting;
      waiting = [];
      hurry = Promise.withResolvers<void>();
      await once();
      for (const resolve of served) resolve();
      const poked = await firstOf(wake.promise, everyMs, signal);
      if (poked) await firstOf(hurry.promise, debounceMs, signal);
    }
    for (const resolve of waiting) resolve();
  };
  return {
    done: run(),
    poke: () => wake.resolve(),
    now: () => {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        wake.resolve();
        hurry.resolve();
      });
    },
  };
}

/** Waits for the event, the time or the signal, whichever is first, and leaves no timer behind; true for the event. */
async function firstOf(event: Promise<void>, ms: number, signal: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const idle = sleep(ms, undefined, { signal: AbortSignal.any([signal, timer.signal]) }).catch(() => {});
  const came = await Promise.race([event.then(() => true), idle.then(() => false)]);
  timer.abort();
  return came;
}
