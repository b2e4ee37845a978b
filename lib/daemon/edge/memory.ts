/** What is remembered of the routers: in the store that the nodes share, or in the node's own where it is alone. */

import { readJson } from "#lib/cluster/read-record.ts";
import {
  type Pause,
  type Push,
  type RouterRecord,
  readPause,
  readPush,
  readRecord,
  writePush,
  writeRecord,
} from "#lib/edge/record.ts";
import type { Entry, Revision, Shared } from "#lib/store/shared.ts";
import type { Named, Store } from "#lib/store/store.ts";

export type Keeper = Pick<Shared, "get" | "list" | "put" | "remove">;

/** One router's. Everything throws `SelvedgeError store`, and `config-invalid` for what nobody can read. */
export interface Memory {
  state(): Promise<{ readonly record: RouterRecord; readonly revision: Revision } | undefined>;
  /** @returns the new revision; undefined when somebody else has written meanwhile */
  putState(record: RouterRecord, before: Revision | undefined): Promise<Revision | undefined>;
  /** The newest last. */
  history(): Promise<readonly Push[]>;
  push(revision: number): Promise<Push | undefined>;
  putPush(push: Push): Promise<void>;
  pause(): Promise<Pause | undefined>;
  putPause(pause: Pause | undefined): Promise<void>;
  /** Another one in the place of that which is there, whatever others say of it meanwhile. @returns what is there now */
  changePause<P extends Pause | undefined>(to: (there: Pause | undefined) => P): Promise<P>;
}

/** Pushes that are kept for each router. */
const KEPT = 100;
const DIGITS = 9;

export const edgeKey = (router: string, what: string): string => `edge/${router}/${what}`;

export function memory(keeper: Keeper, router: string): Memory {
  const [state, pause, history] = [edgeKey(router, "state"), edgeKey(router, "pause"), edgeKey(router, "history/")];
  const pauseIn = (entry: Entry | undefined): Pause | undefined => entry && readPause(readJson(pause, entry.value));
  const pushKey = (revision: number): string => history + String(revision).padStart(DIGITS, "0");
  return {
    async state() {
      const entry = await keeper.get(state);
      return entry && { record: readRecord(readJson(state, entry.value)), revision: entry.revision };
    },
    putState: (record, before) => keeper.put(state, writeRecord(record), { if: before ?? "absent" }),
    history: async () => (await keeper.list(history)).map(({ key, value }) => readPush(readJson(key, value))),
    async push(revision) {
      const entry = await keeper.get(pushKey(revision));
      return entry && readPush(readJson(entry.key, entry.value));
    },
    async putPush(push) {
      await keeper.put(pushKey(push.revision), writePush(push));
      await keeper.remove(pushKey(push.revision - KEPT));
    },
    pause: async () => pauseIn(await keeper.get(pause)),
    async putPause(value) {
      if (value === undefined) await keeper.remove(pause);
      else await keeper.put(pause, JSON.stringify(value));
    },
    async changePause(to) {
      for (;;) {
        const entry = await keeper.get(pause);
        const there = pauseIn(entry);
        const now = to(there);
        if (now === undefined || now === there) return now;
        if (await keeper.put(pause, JSON.stringify(now), { if: entry?.revision ?? "absent" })) return now;
      }
    },
  };
}

/** A node that is alone keeps it in its own store: the same port, without others. */
export function ownKeeper(store: Pick<Store, "commit">, kept: readonly Named[]): Keeper {
  const entries = new Map<string, Entry>();
  let writes = 0;
  const note = (key: string, value: string): Revision => {
    const revision = `${++writes}` as Revision;
    entries.set(key, { key, value, revision });
    return revision;
  };
  for (const { name, value } of kept) if (name.startsWith("edge/")) note(name, value);
  return {
    get: async (key) => entries.get(key),
    list: async (prefix) =>
      [...entries.values()].filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1)),
    async put(key, value, options = {}) {
      if (options.if !== undefined && options.if !== (entries.get(key)?.revision ?? "absent")) return undefined;
      await store.commit([{ put: "own", value: { name: key, value } }]);
      return note(key, value);
    },
    async remove(key, options = {}) {
      if (options.if !== undefined && options.if !== entries.get(key)?.revision) return false;
      await store.commit([{ remove: "own", name: key }]);
      entries.delete(key);
      return true;
    },
  };
}
