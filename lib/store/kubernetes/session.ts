/**
 * The Lease that says that this process lives, and what it has put for as long as that. It is made when it is first needed
 * and renewed three times in its length; one that was lost (somebody else has ended it, since nothing was heard) is followed
 * by another one of another name, under which everything is put again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure } from "#lib/errors.ts";
import type { Resource } from "#lib/k8s/api/resource.ts";
import type { Api } from "./api.ts";
import { leaseObject, renewal } from "./leases.ts";

export interface Session {
  /** The name of the Lease to put with. @throws SelvedgeError store */
  name(): Promise<string>;
  /** What was put with it. */
  holds(key: string, value: string): void;
  holdsNoMore(key: string): void;
  /** Resolves when nothing is renewed any more. */
  readonly done: Promise<void>;
}

export interface SessionOptions {
  readonly api: Api;
  readonly leases: Resource;
  /** Of this process, for people. */
  readonly holder: string;
  readonly livenessSeconds: number;
  readonly signal: AbortSignal;
  readonly random: () => number;
  /**
   * Puts with the Lease `session` what one of `before` had, or nobody has.
   * @returns whether it is there now. @throws SelvedgeError store
   */
  readonly putAgain: (
    entry: { readonly key: string; readonly value: string },
    session: string,
    before: ReadonlySet<string>,
  ) => Promise<boolean>;
}

export function session(options: SessionOptions): Session {
  const { api, leases, holder, livenessSeconds, signal, random, putAgain } = options;
  const held = new Map<string, string>();
  /** What went, or may go, with a Lease that was lost. */
  const missing = new Set<string>();
  const names = new Set<string>();
  const everyMs = (livenessSeconds * 1_000) / 3;
  const retry = backoff({ firstMs: 100, longestMs: everyMs, random });
  let made: Promise<string> | undefined;
  let keeping: Promise<void> | undefined;

  async function make(): Promise<string> {
    const name = `selvedge-${Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, "0")}`;
    names.add(name);
    await api.create(leases, leaseObject(name, { holder, seconds: livenessSeconds }));
    return name;
  }

  function name(): Promise<string> {
    if (made === undefined) {
      const mine = make();
      made = mine;
      mine.catch(() => {
        if (made === mine) made = undefined;
      });
    }
    // In a turn of its own: it begins by asking for the name.
    keeping ??= Promise.resolve().then(keep);
    return made;
  }

  async function putMissing(now: string): Promise<void> {
    for (const key of [...missing]) {
      const value = held.get(key);
      if (value !== undefined && !(await putAgain({ key, value }, now, names)) && held.get(key) === value)
        held.delete(key);
      missing.delete(key);
    }
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      try {
        const now = await name();
        if ((await api.merge(leases, now, renewal())) === undefined) {
          made = undefined;
          for (const key of held.keys()) missing.add(key);
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
    name,
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
