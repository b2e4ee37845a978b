/**
 * What this process has put for as long as it lives, and the proof that it does: made when it is first needed, renewed three
 * times in its length, and made anew when it was lost, with everything that was put with it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure } from "#lib/errors.ts";

/** What a store's proof is, a lease of its own kind. All of it throws SelvedgeError store. */
export interface Proof<Id> {
  make(): Promise<Id>;
  /** Whether it is still there. */
  renew(id: Id): Promise<boolean>;
  /** Puts with it what went with the one before, unless somebody else has; whether it is there now. */
  putAgain(entry: { readonly key: string; readonly value: string }, id: Id): Promise<boolean>;
}

export interface KeptOptions {
  readonly livenessSeconds: number;
  readonly signal: AbortSignal;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export interface Kept<Id> {
  /** The proof to put with. @throws SelvedgeError store */
  id(): Promise<Id>;
  /** The store knows no such proof. */
  lost(id: Id): void;
  /** What was put with it. */
  holds(key: string, value: string): void;
  holdsNoMore(key: string): void;
  /** Resolves when nothing is renewed any more. */
  readonly done: Promise<void>;
}

export function kept<Id>(proof: Proof<Id>, { livenessSeconds, signal, random }: KeptOptions): Kept<Id> {
  const held = new Map<string, string>();
  /** Those that went, or may go, with a proof that was lost. */
  const missing = new Set<string>();
  const everyMs = (livenessSeconds * 1_000) / 3;
  const retry = backoff({ firstMs: 100, longestMs: everyMs, random });
  let made: Promise<Id> | undefined;
  let current: Id | undefined;
  let keeping: Promise<void> | undefined;

  function id(): Promise<Id> {
    if (made === undefined) {
      const mine = proof.make();
      made = mine;
      mine.then(
        (now) => {
          if (made === mine) current = now;
        },
        () => {
          if (made === mine) made = undefined;
        },
      );
    }
    // In a turn of its own: it begins by asking for the proof.
    keeping ??= Promise.resolve().then(keep);
    return made;
  }

  const forget = (): void => {
    made = undefined;
    current = undefined;
    for (const key of held.keys()) missing.add(key);
  };

  async function putMissing(now: Id): Promise<void> {
    for (const key of [...missing]) {
      const value = held.get(key);
      const isThere = value === undefined || (await proof.putAgain({ key, value }, now));
      // Lost again meanwhile: the next one puts it.
      if (current !== now) return;
      if (!isThere && held.get(key) === value) held.delete(key);
      missing.delete(key);
    }
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      try {
        const now = await id();
        const isThere = await proof.renew(now);
        if (signal.aborted) return;
        if (!isThere) {
          forget();
          // One that is lost as soon as it is made is not made again and again.
          await sleep(retry.next(), undefined, { signal }).catch(() => {});
          continue;
        }
        await putMissing(now);
        retry.reset();
        await sleep(everyMs * (0.9 + random() / 10), undefined, { signal }).catch(() => {});
      } catch (error) {
        if (!isFailure(error, "store")) throw error;
        await sleep(retry.next(), undefined, { signal }).catch(() => {});
      }
    }
  }

  return {
    id,
    lost(id) {
      if (current === id) forget();
    },
    holds: (key, value) => void held.set(key, value),
    holdsNoMore(key) {
      held.delete(key);
      missing.delete(key);
    },
    get done() {
      return keeping ?? Promise.resolve();
    },
  };
}
