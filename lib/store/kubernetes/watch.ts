/**
 * One watch that lasts, of several kinds: everything there is of them, then every change. Broken off, each kind goes on where
 * it was; when the server does not know what came after that for one of them (410), all are read anew and told as one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure } from "#lib/errors.ts";
import type { Ask } from "#lib/k8s/api/ask.ts";
import { jsonLines } from "#lib/k8s/api/body.ts";
import { eventOf } from "#lib/k8s/api/event.ts";
import { byKey } from "../by-key.ts";
import { type OnConnection, onlyChanges } from "../connection.ts";
import type { Entry, SharedChange } from "../shared.ts";
import type { Api } from "./api.ts";
import type { Kind } from "./kinds.ts";
import { type ApiObject, entryOf } from "./object.ts";
import { refusal, unanswered } from "./refusal.ts";

export interface WatchOptions {
  readonly ask: Ask;
  readonly api: Pick<Api, "list">;
  readonly kinds: readonly Kind[];
  /** Of the keys. */
  readonly prefix: string;
  readonly onChange: (change: SharedChange) => void;
  readonly onConnection: OnConnection;
  readonly signal: AbortSignal;
  readonly random: () => number;
}

const RETRY = { firstMs: 100, longestMs: 5_000 };
/** A server that has restarted loses everybody at once, and not all may read everything in the same moment. */
const RELIST_MS = 1_000;
/** At least, and at most twice so long, is what a watch is asked to last. */
const LASTS_MS = 300_000;
/** After that time the server is taken for dead. */
const LATE_MS = 30_000;
/** A watch that ends sooner is no good sign. */
const STEADY_MS = 1_000;
/** More than etcd takes for an object (1.5 MiB), as JSON. */
const MOST_EVENT_BYTES = 8 * 1024 * 1024;

/** Up to where the changes of each kind are known. */
type Positions = Map<Kind, string>;

export async function watch(options: WatchOptions): Promise<void> {
  const { api, kinds, prefix, onChange, onConnection, signal, random } = options;
  const retry = backoff({ ...RETRY, random });
  let positions: Positions | undefined;
  const connected = onlyChanges(onConnection, signal);

  async function everything(): Promise<Positions> {
    const read: Positions = new Map();
    const all: Entry[] = [];
    for (const kind of kinds) {
      const { items, version } = await api.list(kind, { signal });
      read.set(kind, version);
      for (const item of items) {
        const entry = entryOf(item);
        if (entry?.key.startsWith(prefix)) all.push(entry);
      }
    }
    if (!signal.aborted) onChange({ all: all.sort(byKey) });
    return read;
  }

  while (!signal.aborted) {
    const beganMs = performance.now();
    try {
      positions ??= await everything();
      const isExpired = await hearAll({ ...options, positions, onOpen: () => connected(true) });
      if (isExpired) {
        positions = undefined;
        await sleep(random() * RELIST_MS, undefined, { signal }).catch(() => {});
      }
    } catch (error) {
      if (!isFailure(error, "store")) throw error;
      connected(false, error);
    }
    if (performance.now() - beganMs > RETRY.longestMs) retry.reset();
    await sleep(retry.next(), undefined, { signal }).catch(() => {});
  }
}

interface HearOptions extends WatchOptions {
  readonly positions: Positions;
  /** Changes of all kinds are heard. */
  readonly onOpen: () => void;
}

/** Until the signal, or until changes of one kind are known no more: then true. @throws SelvedgeError store */
async function hearAll({ kinds, positions, signal, onOpen, ...rest }: HearOptions): Promise<boolean> {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const open = new Set<Kind>();
  const hears = kinds.map(async (kind) => {
    try {
      return await hear(kind, {
        ...rest,
        positions,
        signal: either,
        onOpen() {
          open.add(kind);
          if (open.size === kinds.length) onOpen();
        },
      });
    } finally {
      ending.abort();
    }
  });
  const outcomes = await Promise.allSettled(hears);
  if (signal.aborted) return false;
  for (const outcome of outcomes) if (outcome.status === "fulfilled" && outcome.value) return true;
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  return false;
}

/** As `hearAll`, of one kind. */
async function hear(kind: Kind, options: Omit<HearOptions, "kinds">): Promise<boolean> {
  const { ask, positions, prefix, onChange, signal, random, onOpen } = options;
  const retry = backoff({ ...RETRY, random });
  while (!signal.aborted) {
    const beganMs = performance.now();
    const lastsMs = Math.ceil(LASTS_MS * (1 + random()));
    const query = {
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: positions.get(kind) ?? "",
      timeoutSeconds: `${Math.ceil(lastsMs / 1_000)}`,
    };
    const ends = AbortSignal.any([signal, AbortSignal.timeout(lastsMs + LATE_MS)]);
    const answer = await ask({ path: kind.path, query, signal: ends }).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw unanswered(error);
    });
    if (answer === undefined) return false;
    if ("status" in answer) {
      // 404: it is defined no more, or anew.
      if (answer.status === 410 || answer.status === 404) return true;
      throw refusal("watch", kind, answer);
    }
    onOpen();
    try {
      for await (const events of jsonLines(answer, MOST_EVENT_BYTES))
        for (const each of events) {
          if (signal.aborted) return false;
          const event = eventOf(kind, each);
          if (event.type === "expired") return true;
          positions.set(kind, event.version);
          if (event.type === "bookmark") continue;
          const entry = entryOf(event.object as ApiObject);
          if (entry?.key.startsWith(prefix)) onChange(event.type === "put" ? { put: entry } : { remove: entry.key });
        }
    } catch (error) {
      // Whether the server is lost shows itself at the next try.
      if (!isFailure(error, "not-ready")) throw unanswered(error);
    }
    if (performance.now() - beganMs < STEADY_MS) await sleep(retry.next(), undefined, { signal }).catch(() => {});
    else retry.reset();
  }
  return false;
}
