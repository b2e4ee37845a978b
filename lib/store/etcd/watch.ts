/**
 * One watch that lasts: a list, then every change after its revision; broken off, it goes on where it was, and begins
 * anew where etcd cannot (compaction, or another cluster's data under the same endpoints).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { type KeyValue, Watch, type WatchResponse } from "#proto/etcd_pb.ts";
import { type OnConnection, onlyChanges } from "../connection.ts";
import type { Members } from "./members.ts";
import { endOf } from "./txn.ts";

/** What etcd knew, and in which revision of which cluster. */
export interface Listing {
  readonly kvs: readonly KeyValue[];
  readonly at: Position;
}
export interface Position {
  readonly revision: number;
  readonly clusterId: number;
}

export type EtcdChange =
  | { readonly put: KeyValue }
  | { readonly remove: string }
  | { readonly all: readonly KeyValue[] };

export interface WatchOptions {
  readonly members: Members;
  /** As etcd has it. */
  readonly prefix: string;
  /** @throws SelvedgeError store */
  readonly list: () => Promise<Listing>;
  /** How far the store is, as the majority of its members knows it. @throws SelvedgeError store */
  readonly position: () => Promise<Position>;
  readonly onChange: (change: EtcdChange) => void;
  readonly onConnection: OnConnection;
  readonly signal: AbortSignal;
  readonly random: () => number;
}

/** rpc.proto, Event.EventType. */
const DELETE = 1;

const RETRY = { firstMs: 100, longestMs: 5_000 };

export async function watch({
  members,
  prefix,
  list,
  position,
  onChange,
  onConnection,
  signal,
  random,
}: WatchOptions): Promise<void> {
  const retry = backoff({ ...RETRY, random });
  let seen: Position | undefined;
  const connected = onlyChanges(onConnection, signal);

  /** Hears changes after `from` until etcd cancels the watch. */
  async function hear(from: Position): Promise<WatchResponse | undefined> {
    let last: WatchResponse | undefined;
    const createRequest = {
      key: prefix,
      rangeEnd: endOf(prefix),
      startRevision: from.revision + 1,
      // An idle watch learns how far the store is, and can go on from there after a compaction.
      progressNotify: true,
    };
    const onReply = (reply: WatchResponse): boolean => {
      const { header, created, canceled, events } = reply;
      if (canceled) {
        last = reply;
        return true;
      }
      if (created) {
        // How far this member is says nothing yet: it may lag behind, or tell older changes next.
        connected(true);
        return false;
      }
      for (const { type, kv } of events) {
        if (kv === undefined || signal.aborted) continue;
        seen = { ...from, revision: kv.modRevision };
        onChange(type === DELETE ? { remove: kv.key } : { put: kv });
      }
      if (events.length === 0 && header !== undefined) seen = { ...from, revision: header.revision };
      return false;
    };
    await members.hear(Watch.watch, { createRequest }, { signal, onReply });
    return last;
  }

  while (!signal.aborted) {
    const beganMs = performance.now();
    try {
      if (seen !== undefined) {
        // Data that were restored from a backup, or are another cluster's, know nothing of what we have seen. What etcd
        // refuses now it says by an error of its own, which a watch does not.
        const { revision, clusterId } = await position();
        if (clusterId !== seen.clusterId || revision < seen.revision) seen = undefined;
      }
      if (seen === undefined) {
        const { kvs, at } = await list();
        if (signal.aborted) return;
        seen = at;
        onChange({ all: kvs });
      }
      const end = await hear(seen);
      if (end !== undefined && end.compactRevision > 0) seen = undefined;
      else if (end !== undefined)
        throw new SelvedgeError({ kind: "store" }, `etcd has ended the watch of ${prefix}: ${end.cancelReason}`);
    } catch (error) {
      if (!isFailure(error, "store")) throw error;
      connected(false, error);
    }
    if (performance.now() - beganMs > RETRY.longestMs) retry.reset();
    await sleep(retry.next(), undefined, { signal }).catch(() => {});
  }
}
