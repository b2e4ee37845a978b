/**
 * Events that could not be given. What is said of an object is not looked at again, so one that belongs to it is kept until it is
 * given, or is older than the server would keep it.
 */
import { backoff } from "#lib/backoff.ts";
import { isFailure } from "#lib/errors.ts";
import type { Warning } from "#lib/k8s/objects.ts";

export interface Owed {
  add(warning: Warning): void;
  /** Gives what is due. @returns why there are some left; undefined: there are none */
  give(warn: (warning: Warning) => Promise<void>): Promise<string | undefined>;
}

/** Of kube-apiserver, --event-ttl. */
const WORTH_MS = 3_600_000;
/** Whoever may not create them asks seldom at last. */
const AGAIN = { firstMs: 5_000, longestMs: 300_000 } as const;

/** @param random from 0 to 1 */
export function owed(nowMs: () => number, random: () => number): Owed {
  const patience = backoff({ ...AGAIN, random });
  let all: Warning[] = [];
  let trouble: string | undefined;
  let againMs = 0;
  return {
    add: (warning) => void all.push(warning),
    async give(warn) {
      all = all.filter(({ atMs }) => nowMs() - atMs < WORTH_MS);
      if (all.length > 0 && nowMs() < againMs) return trouble;
      try {
        for (let [next] = all; next !== undefined; [next] = all) {
          await warn(next);
          all.shift();
        }
        patience.reset();
        trouble = undefined;
      } catch (error) {
        if (!isFailure(error)) throw error;
        againMs = nowMs() + patience.next();
        trouble = error.message;
      }
      return trouble;
    },
  };
}
