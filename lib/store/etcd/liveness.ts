/**
 * The lease that holds what this process put for as long as it lives: made when it is first needed, kept alive three
 * times in its length, and made anew when it was lost, with everything that it held.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure } from "#lib/errors.ts";
import { KV, Lease } from "#proto/etcd_pb.ts";
import type { Members } from "./members.ts";
import { unlessThere } from "./txn.ts";

export interface Liveness {
  /** The lease to put with. @throws SelvedgeError store */
  lease(): Promise<number>;
  /** etcd knows no such lease. */
  lost(lease: number): void;
  /** What the lease holds; keys as etcd has them. */
  holds(key: string, value: string): void;
  holdsNoMore(key: string): void;
  /** Resolves when nothing is kept alive any more. */
  readonly done: Promise<void>;
}

export interface LivenessOptions {
  readonly members: Members;
  readonly livenessSeconds: number;
  readonly signal: AbortSignal;
  readonly random: () => number;
}

export function liveness({ members, livenessSeconds, signal, random }: LivenessOptions): Liveness {
  const held = new Map<string, string>();
  /** Those that went with a lease that was lost. */
  const missing = new Set<string>();
  const everyMs = (livenessSeconds * 1_000) / 3;
  const retry = backoff({ firstMs: 100, longestMs: everyMs, random });
  let granted: Promise<number> | undefined;
  let current: number | undefined;
  let keeping: Promise<void> | undefined;

  /** We number it: what etcd chooses does not fit a JavaScript number. */
  async function grant(): Promise<number> {
    const ID = 1 + Math.floor(random() * 2 ** 52);
    await members.ask(Lease.leaseGrant, { TTL: Math.ceil(livenessSeconds), ID }, true);
    current = ID;
    return ID;
  }

  function lease(): Promise<number> {
    if (granted === undefined) {
      const mine = grant();
      granted = mine;
      mine.catch(() => {
        if (granted === mine) granted = undefined;
      });
    }
    // In a turn of its own: it begins by asking for the lease.
    keeping ??= Promise.resolve().then(keep);
    return granted;
  }

  const forget = (): void => {
    granted = undefined;
    current = undefined;
    for (const key of held.keys()) missing.add(key);
  };

  /** @returns whether the lease is still there. @throws SelvedgeError store */
  async function renew(ID: number): Promise<boolean> {
    let seconds = 0;
    await members.hear(
      Lease.leaseKeepAlive,
      { ID },
      {
        signal,
        onReply: ({ TTL }) => {
          seconds = TTL;
          return true;
        },
      },
    );
    return seconds > 0;
  }

  async function putMissing(ID: number): Promise<void> {
    for (const key of [...missing]) {
      const value = held.get(key);
      if (value !== undefined) {
        await members.ask(KV.txn, unlessThere({ key, value, lease: ID }), true);
        const { kvs } = await members.ask(KV.range, { key }, true);
        if (kvs[0]?.lease !== ID && held.get(key) === value) held.delete(key);
      }
      missing.delete(key);
    }
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      try {
        const ID = await lease();
        if (!(await renew(ID)) && !signal.aborted) {
          forget();
          continue;
        }
        await putMissing(ID);
        retry.reset();
        await sleep(everyMs * (0.9 + random() / 10), undefined, { signal }).catch(() => {});
      } catch (error) {
        if (!isFailure(error, "store")) throw error;
        await sleep(retry.next(), undefined, { signal }).catch(() => {});
      }
    }
  }

  return {
    lease,
    lost(ID) {
      if (current === ID) forget();
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
