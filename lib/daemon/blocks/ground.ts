/** What the parts of cluster IPAM stand on: the shared store, this node's own, and the picture of what others have. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "#lib/cluster/ledger.ts";
import { readJson } from "#lib/cluster/read-record.ts";
import type { NodeId } from "#lib/cluster/records.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Ipam } from "#lib/ipam/ipam.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import type { KeyedLock } from "#lib/lock.ts";
import type { Log } from "#lib/log.ts";
import type { Found } from "#lib/parse.ts";
import type { Revision, Shared } from "#lib/store/shared.ts";
import type { Store } from "#lib/store/store.ts";

export interface Ground {
  readonly self: NodeId;
  readonly shared: Pick<Shared, "get" | "list" | "put" | "remove">;
  readonly store: Pick<Store, "commit">;
  readonly ipam: Ipam;
  readonly ledger: Ledger;
  /** Pools that the nodes share, by name. */
  readonly pools: ReadonlyMap<string, Pool>;
  /** Of them those that have been deleted: what nobody uses is given back, and nothing more is taken. */
  readonly leaving: ReadonlySet<string>;
  readonly log: Log;
  /** One change of a record at a time. */
  readonly lock: KeyedLock;
  readonly clockMs: () => number;
  /** Nodes that are gone for good, as the last look has it. */
  isGone(id: NodeId): boolean;
  /** Resolves when something is heard of the store, and after the time at the latest. */
  news(ms: number): Promise<void>;
}

/** A record that can be changed on condition that it is still the same. */
export interface Read<T> {
  readonly record: T;
  readonly revision: Revision;
}

/**
 * The record of a key as it is now; the picture learns of it. Undefined when there is none.
 * @throws SelvedgeError store: not reached, or a record that nobody can read and so nobody may replace
 */
export async function readNow<T>(
  { shared, ledger }: Pick<Ground, "shared" | "ledger">,
  key: string,
  read: (found: Found) => T,
): Promise<Read<T> | undefined> {
  const entry = await shared.get(key);
  if (entry === undefined) {
    ledger.take({ remove: key });
    return undefined;
  }
  ledger.take({ put: entry });
  try {
    return { record: read(readJson(key, entry.value)), revision: entry.revision };
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    throw new SelvedgeError({ kind: "store" }, `shared store: ${error.message}`, {
      hint: "Remove the key when no node of a newer version can have written it.",
    });
  }
}

/** @returns whether the record was still the one that was read (undefined: none), and is this one now */
export async function replace(
  { shared, ledger }: Pick<Ground, "shared" | "ledger">,
  key: string,
  record: object,
  before: Read<unknown> | undefined,
): Promise<boolean> {
  const value = JSON.stringify(record);
  const done = await shared.put(key, value, { if: before?.revision ?? "absent" });
  if (done !== undefined) ledger.take({ put: { key, value } });
  return done !== undefined;
}

/** @returns whether the record was still the one that was read, and is gone now */
export async function erase(
  { shared, ledger }: Pick<Ground, "shared" | "ledger">,
  key: string,
  before: Read<unknown>,
): Promise<boolean> {
  const done = await shared.remove(key, { if: before.revision });
  if (done) ledger.take({ remove: key });
  return done;
}

export const isSame = (a: { readonly node?: string; readonly uid?: string }, b: NodeId): boolean =>
  a.node === b.node && a.uid === b.uid;

/** A race lost so often in a row is a matter for the next pass. */
export const TRIES = 8;

/** Wakes those who wait for news. @param wait resolves after the time, or at the signal */
export function newsroom(wait: Wait = waitFor): { stir(): void; news(ms: number): Promise<void> } {
  let next = Promise.withResolvers<void>();
  return {
    stir() {
      next.resolve();
      next = Promise.withResolvers();
    },
    async news(ms) {
      const timer = new AbortController();
      await Promise.race([next.promise, wait(ms, timer.signal)]);
      timer.abort();
    },
  };
}

export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

const waitFor: Wait = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {});
