/** A shared store in memory, with several clients and every trouble that a real one has: for tests. */
import { SelvedgeError } from "#lib/errors.ts";
import { onlyChanges } from "./connection.ts";
import { checkKey, checkPrefix, type Entry, type Revision, type Shared, type SharedChange } from "./shared.ts";

/** What the clients of one store see. */
export interface Space {
  /** `livenessSeconds` may be a fraction. */
  open(options?: { readonly livenessSeconds?: number }): MemoryShared;
  /** Changes up to now are forgotten: a watch that has not seen them begins anew. */
  compact(): void;
  /** Nobody reaches it, and nothing expires meanwhile. */
  stop(): void;
  start(): void;
}

export interface MemoryShared extends Shared {
  /** This client alone does not reach it, and is not heard of. */
  cut(): void;
  heal(): void;
}

interface Client {
  readonly livenessMs: number;
  /** What it put for as long as it lives. */
  readonly alive: Map<string, string>;
  cut: boolean;
  closed: boolean;
  /** It was silent for too long. */
  lapsed: boolean;
  timer?: NodeJS.Timeout;
}

type Held = Entry & { readonly owner?: Client };
type Logged = { readonly at: number; readonly key: string; readonly change: SharedChange };

export function space(): Space {
  const held = new Map<string, Held>();
  const clients = new Set<Client>();
  let log: Logged[] = [];
  let revision = 0;
  let compactedAt = 0;
  let stopped = false;
  let wake = Promise.withResolvers<void>();

  /** Watches look again, each in its own turn. */
  const stir = (): void => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const record = (key: string, change: SharedChange): void => {
    log.push({ at: revision, key, change });
    stir();
  };
  const write = (key: string, value: string, owner?: Client): Revision => {
    const entry: Entry = { key, value, revision: `${++revision}` as Revision };
    held.set(key, { ...entry, ...(owner === undefined ? {} : { owner }) });
    record(key, { put: entry });
    return entry.revision;
  };
  const erase = (key: string): void => {
    if (!held.delete(key)) return;
    revision += 1;
    record(key, { remove: key });
  };
  const get = (key: string): Entry | undefined => {
    const { owner: _, ...entry } = held.get(key) ?? {};
    return "key" in entry ? entry : undefined;
  };
  const below = (prefix: string): readonly Entry[] =>
    [...held.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort()
      .flatMap((key) => get(key) ?? []);

  /** Begins to count the silence of a client that cannot be heard. */
  const count = (client: Client): void => {
    clearTimeout(client.timer);
    if (stopped || !(client.cut || client.closed)) return;
    client.timer = setTimeout(() => {
      client.lapsed = true;
      for (const { key, owner } of held.values()) if (owner === client) erase(key);
      if (client.closed) clients.delete(client);
    }, client.livenessMs);
    client.timer.unref();
  };
  const heard = (client: Client): void => {
    if (stopped || client.cut || client.closed || !client.lapsed) return;
    client.lapsed = false;
    for (const [key, value] of client.alive) if (!held.has(key)) write(key, value, client);
  };

  const open = ({ livenessSeconds = 15 } = {}): MemoryShared => {
    const client: Client = {
      livenessMs: livenessSeconds * 1_000,
      alive: new Map(),
      cut: false,
      closed: false,
      lapsed: false,
    };
    clients.add(client);
    const closing = new AbortController();
    const isReached = (): boolean => !(stopped || client.cut || client.closed);
    /** Answers come later, as they do over a wire. */
    const request = async <T>(key: string, check: (key: string) => void, answer: () => T): Promise<T> => {
      check(key);
      await Promise.resolve();
      if (!isReached()) throw unreachable();
      return answer();
    };
    return {
      get: (key) => request(key, checkKey, () => get(key)),
      list: (prefix) => request(prefix, checkPrefix, () => below(prefix)),
      put: (key, value, options = {}) =>
        request(key, checkKey, () => {
          const has = held.get(key)?.revision ?? "absent";
          if (options.if !== undefined && options.if !== has) return undefined;
          if (options.whileAlive === true) client.alive.set(key, value);
          else client.alive.delete(key);
          return write(key, value, options.whileAlive === true ? client : undefined);
        }),
      remove: (key, options = {}) =>
        request(key, checkKey, () => {
          if (options.if !== undefined && options.if !== held.get(key)?.revision) return false;
          client.alive.delete(key);
          erase(key);
          return true;
        }),
      async watch(prefix, onChange, signal, onConnection = () => {}) {
        checkPrefix(prefix);
        const ends = AbortSignal.any([signal, closing.signal]);
        let seenAt: number | undefined;
        const connected = onlyChanges(onConnection, ends);
        while (!ends.aborted) {
          const next = wake.promise;
          if (isReached()) {
            const missed = seenAt === undefined || seenAt < compactedAt;
            const changes = missed
              ? [{ all: below(prefix) }]
              : log.filter(({ at, key }) => at > (seenAt ?? 0) && key.startsWith(prefix)).map(({ change }) => change);
            seenAt = revision;
            for (const change of changes) if (!ends.aborted) onChange(change);
          }
          if (isReached()) connected(true);
          else connected(false, unreachable());
          await either(next, ends);
        }
      },
      cut() {
        client.cut = true;
        count(client);
        stir();
      },
      heal() {
        client.cut = false;
        count(client);
        heard(client);
        stir();
      },
      async [Symbol.asyncDispose]() {
        client.closed = true;
        closing.abort();
        count(client);
      },
    };
  };

  return {
    open,
    compact() {
      log = [];
      compactedAt = revision;
    },
    stop() {
      stopped = true;
      for (const client of clients) count(client);
      stir();
    },
    start() {
      stopped = false;
      for (const client of clients) {
        count(client);
        heard(client);
      }
      stir();
    },
  };
}

const unreachable = (): SelvedgeError =>
  new SelvedgeError({ kind: "store" }, "the shared store (in memory) is not reached");

/** Resolves with the event or the end, and leaves no listener behind. */
async function either(event: Promise<void>, ends: AbortSignal): Promise<void> {
  if (ends.aborted) return;
  const end = Promise.withResolvers<void>();
  const resolve = (): void => end.resolve();
  ends.addEventListener("abort", resolve);
  await Promise.race([event, end.promise]);
  ends.removeEventListener("abort", resolve);
}
