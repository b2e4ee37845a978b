/** One resource of an API server followed: everything there is, then every change, for as long as it takes. */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure, type SelvedgeError } from "#lib/errors.ts";
import type { Ask, Refused } from "./ask.ts";
import { jsonLines } from "./body.ts";
import { eventOf, type WatchEvent } from "./event.ts";
import { headOf, isNewer } from "./head.ts";
import { listAll } from "./list.ts";
import { markOf, uidIn, versionIn } from "./mark.ts";
import type { Resource } from "./resource.ts";

/** What following waits for, ms. */
export interface Patience {
  /** Between tries, at first and at most. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Up to so long before everything is read anew: a server that has restarted loses everybody at once. */
  readonly relistMs: number;
  /** What this cluster does not know is asked for so often. */
  readonly absentMs: number;
  /** A watch that ends sooner is a failure. */
  readonly steadyMs: number;
  /** At least, and at most twice so long, is what a watch is asked to last. */
  readonly watchMs: number;
}

export const PATIENCE: Patience = {
  firstMs: 400,
  longestMs: 30_000,
  relistMs: 2_000,
  absentMs: 60_000,
  steadyMs: 5_000,
  watchMs: 300_000,
};

/** More than etcd takes for an object (1.5 MiB), as JSON. */
const MOST_EVENT_BYTES = 8 * 1024 * 1024;
/** After the time that a watch was asked to last. */
const LATE_MS = 30_000;

export interface Told {
  put(name: string, object: object): void;
  remove(name: string): void;
  /** All that was told so far belongs together. */
  told(): void;
  /** The server answers. */
  reached(): void;
  /** It does not, or not as it should. */
  lost(error: SelvedgeError): void;
  /** It does what it is asked. */
  allowed(): void;
  /** It does not allow it, or not now. */
  refused(verb: "list" | "watch", refused: Refused): void;
}

export interface Reflection {
  /** Everything there is was told, or could not be. */
  readonly first: Promise<void>;
  /** Ends with the signal. */
  readonly done: Promise<void>;
  /** The next try is now: somebody else has reached the server. */
  hurry(): void;
  /** The uid of what is known under that name. */
  uid(name: string): string | undefined;
  /** Takes an object that somebody else has read, unless it is known or gone already. */
  offer(object: object): void;
}

export interface ReflectionOptions {
  readonly ask: Ask;
  readonly told: Told;
  readonly signal: AbortSignal;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly patience: Patience;
}

export function reflection(resource: Resource, { ask, told, signal, random, patience }: ReflectionOptions): Reflection {
  /** Version and uid of each. */
  const known = new Map<string, string>();
  const wait = backoff({ firstMs: patience.firstMs, longestMs: patience.longestMs, random });
  const first = Promise.withResolvers<void>();
  const only: Readonly<Record<string, string>> = resource.only === undefined ? {} : { fieldSelector: resource.only };
  /** Up to where changes are known; undefined: everything is to be read. */
  let position: string | undefined;
  /** Offered while everything is read, so perhaps newer than what is read; absent at other times. */
  let offered: Set<string> | undefined;

  const put = (object: object, head = headOf(object), isOther = isNewer): void => {
    const { name, version, uid } = head;
    const before = known.get(name);
    if (before !== undefined && !isOther(version, versionIn(before))) return;
    known.set(name, markOf(version, uid));
    told.put(name, object);
  };
  const remove = (name: string): void => {
    if (known.delete(name)) told.remove(name);
  };

  // What follows ends with how long to wait before the next try, ms.
  const refused = (verb: "list" | "watch", answer: Refused): number => {
    told.refused(verb, answer);
    return Math.max(wait.next(), answer.afterMs ?? 0);
  };
  const expired = (): number => {
    position = undefined;
    return random() * patience.relistMs + wait.next();
  };

  const list = async (): Promise<number> => {
    const there = new Set<string>();
    const meanwhile = new Set<string>();
    offered = meanwhile;
    const take = (object: object): void => {
      const head = headOf(object);
      there.add(head.name);
      // Versions begin anew where etcd was restored from a backup.
      put(object, head, meanwhile.has(head.name) ? isNewer : (version, before) => version !== before);
    };
    const answer = await listAll(ask, resource, { take, signal });
    offered = undefined;
    told.reached();
    if ("status" in answer) {
      if (answer.status === 410) return expired();
      if (answer.status !== 404 || resource.isOptional !== true) return refused("list", answer);
    }
    told.allowed();
    for (const name of known.keys()) if (!there.has(name) && !meanwhile.has(name)) remove(name);
    told.told();
    if ("status" in answer) return patience.absentMs;
    position = answer.version;
    return 0;
  };

  const watch = async (from: string): Promise<number> => {
    const lastsMs = Math.ceil(patience.watchMs * (1 + random()));
    const asked = {
      allowWatchBookmarks: "true",
      resourceVersion: from,
      timeoutSeconds: `${Math.ceil(lastsMs / 1_000)}`,
    };
    const answer = await ask({
      path: resource.path,
      query: { watch: "1", ...asked, ...only },
      signal: AbortSignal.any([signal, AbortSignal.timeout(lastsMs + LATE_MS)]),
    });
    told.reached();
    if ("status" in answer) return [404, 410].includes(answer.status) ? expired() : refused("watch", answer);
    told.allowed();
    const beganMs = performance.now();
    const isSteady = (): boolean => performance.now() - beganMs >= patience.steadyMs;
    try {
      for await (const events of jsonLines(answer, MOST_EVENT_BYTES)) {
        if (isSteady()) wait.reset();
        try {
          if (events.some((event) => taken(eventOf(resource, event)) === "expired")) return expired();
        } finally {
          // What came before the one that ends the watch is not told again by the next.
          told.told();
        }
      }
    } catch (error) {
      // Whether the server is lost is told by the next try.
      if (!isFailure(error, "not-ready")) throw error;
    }
    if (!isSteady()) return wait.next();
    wait.reset();
    return 0;
  };
  const taken = (event: WatchEvent): WatchEvent["type"] => {
    if (event.type === "put") put(event.object);
    if (event.type === "remove") remove(event.name);
    if (event.type !== "expired") position = event.version;
    return event.type;
  };

  const attempt = async (): Promise<number> => {
    try {
      return position === undefined ? await list() : await watch(position);
    } catch (error) {
      if (!isFailure(error, "not-ready", "config-invalid")) throw error;
      if (!signal.aborted) told.lost(error);
      return wait.next();
    } finally {
      first.resolve();
    }
  };
  let pause = new AbortController();
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const ms = await attempt();
      pause = new AbortController();
      if (ms > 0) await sleep(ms, undefined, { signal: AbortSignal.any([signal, pause.signal]) }).catch(() => {});
    }
  };

  return {
    first: first.promise,
    done: run(),
    hurry: () => pause.abort(),
    uid(name) {
      const mark = known.get(name);
      return mark === undefined ? undefined : uidIn(mark);
    },
    offer(object) {
      const head = headOf(object);
      // Changes up to there are known; that it went is one of them.
      if (position !== undefined && !known.has(head.name) && !isNewer(head.version, position)) return;
      put(object, head);
      offered?.add(head.name);
      told.told();
    },
  };
}
