/** How a node of the rig hears of the shared store: everything there is, then every change, one at a time. */
import { KEYS } from "#lib/cluster/records.ts";
import type { Entries } from "#lib/store/entries.ts";
import type { Entry, SharedChange } from "#lib/store/shared.ts";
import type { Random } from "./rig.ts";

export interface Hearing {
  /** What is told next; undefined when that is nothing yet. */
  next(): SharedChange | undefined;
  /** There is more to be told. */
  readonly isBehind: boolean;
  /** From everything on. */
  begin(): void;
}

/** As etcd tells: all keys in one order. */
export function inOrder({ log, below }: Pick<Entries, "log" | "below">): Hearing {
  let seen: number | undefined;
  return {
    next() {
      if (seen !== undefined) return log[seen] && log[seen++];
      seen = log.length;
      return { all: below("") };
    },
    get isBehind() {
      return seen === undefined || seen < log.length;
    },
    begin() {
      seen = undefined;
    },
  };
}

const KINDS = Object.values(KEYS);

/** As Kubernetes tells: each kind of keys is read by itself, and told in its own order, as late as may be. */
export function kindByKind({ log, below }: Pick<Entries, "log" | "below">, random: Random): Hearing {
  let read: Entry[] = [];
  /** By kind: how much of the log was looked at for it. */
  const seen = new Map<string, number>();
  let isTold = false;

  const nextOf = (kind: string): { at: number; change: SharedChange } | undefined => {
    for (let at = seen.get(kind) ?? 0; at < log.length; at++) {
      const change = log[at];
      if (change !== undefined && keyOf(change).startsWith(kind)) return { at, change };
      seen.set(kind, at + 1);
    }
    return undefined;
  };
  return {
    next() {
      const unread = KINDS.find((kind) => !seen.has(kind));
      if (unread !== undefined) {
        read.push(...below(unread));
        seen.set(unread, log.length);
        return undefined;
      }
      if (!isTold) {
        isTold = true;
        return { all: read.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
      }
      const behind = KINDS.filter((kind) => nextOf(kind) !== undefined);
      const kind = behind[random(behind.length || 1)];
      const next = kind === undefined ? undefined : nextOf(kind);
      if (kind !== undefined && next !== undefined) seen.set(kind, next.at + 1);
      return next?.change;
    },
    get isBehind() {
      return !isTold || KINDS.some((kind) => nextOf(kind) !== undefined);
    },
    begin() {
      read = [];
      seen.clear();
      isTold = false;
    },
  };
}

const keyOf = (change: SharedChange): string =>
  "put" in change ? change.put.key : "remove" in change ? change.remove : "";
