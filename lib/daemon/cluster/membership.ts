/**
 * This node among the others, through the store that they share: it says who it is and hears of them. While the store
 * is away everything stays as it was last heard, over a restart of the daemon, too.
 */
import type { NodeRecord } from "#lib/cluster/records.ts";
import { type ClusterView, clusterView, type Taken } from "#lib/cluster/view.ts";
import { isFailure } from "#lib/errors.ts";
import { loop } from "#lib/loop.ts";
import type { Shared, SharedChange } from "#lib/store/shared.ts";
import type { Change, Named } from "#lib/store/store.ts";
import type { Ports } from "../core.ts";
import { announce } from "./announce.ts";
import type { Identity } from "./identity.ts";

/** A list without any other node is believed after this time. */
const BELIEVE_MS = 600_000;
/** How often what could not be said is said again, and what was heard is written down. */
const EVERY_MS = 1_000;

/** Somebody else who follows what the store tells. */
export interface Listener {
  /** In the store's order. */
  heed(change: SharedChange): void;
  /** The store was lost or found again. */
  connection(connected: boolean): void;
}

export interface Membership {
  readonly view: ClusterView;
  /** Whether the store is reached; undefined before the first try has ended. */
  readonly connected: boolean | undefined;
  /** Why it is not, and what to do about it; empty while it is. */
  readonly away: string;
  /** Something is known of the cluster: from the store, or from before. Until then nothing can be said to be superfluous. */
  readonly informed: boolean;
  /** Uid of another node that has this one's name. */
  readonly nameHolder: string | undefined;
  /** From now on. */
  listen(listener: Listener): void;
  /** What the others are to know of this node. */
  say(record: NodeRecord): void;
  /** Hears and says until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export interface MembershipOptions {
  readonly shared: Shared;
  readonly self: Identity;
  /** What was heard before the daemon started. */
  readonly kept: readonly Named[];
  readonly onChange: (taken: Taken) => void;
  /** Whether the addresses of a pool are reached by way of the node that has them. */
  readonly isRouted?: (pool: string) => boolean;
}

export function membership(
  { store, log, nowMs }: Pick<Ports, "store" | "log" | "nowMs">,
  { shared, self, kept, onChange, isRouted }: MembershipOptions,
): Membership {
  const view = clusterView(self.name, isRouted);
  view.take({ all: kept.map(({ name: key, value }) => ({ key, value })) });
  let connected: boolean | undefined;
  let away = "";
  let heard = false;
  let record: NodeRecord | undefined;
  /** The record that the store has. */
  let said: NodeRecord | undefined;
  let nameHolder: string | undefined;
  let doubtedSinceMs: number | undefined;
  let unwritten: Change[] = [];
  let poke = (): void => {};
  const listeners: Listener[] = [];

  const taken = (news: Taken): void => {
    unwritten.push(...news.kept.map(copied));
    for (const { key, message } of news.refused) log({ event: "record-refused", key, message });
    // Somebody has taken our own records away, or the store has forgotten them.
    const ours = view.nodes.get(self.name)?.uid === self.uid && view.alive.get(self.name) === self.uid;
    if (heard && !ours) said = undefined;
    onChange(news);
    poke();
  };

  const hear = (change: SharedChange): void => {
    heard = true;
    for (const listener of listeners) listener.heed(change);
    const news = view.take(change);
    if ("all" in change) {
      doubtedSinceMs = view.doubted === 0 ? undefined : nowMs();
      if (view.doubted > 0) log({ event: "records-doubted", records: view.doubted, forMs: BELIEVE_MS });
    }
    taken(news);
  };

  const join = async (): Promise<void> => {
    if (record === undefined || record === said || connected === false) return;
    const saying = record;
    const holder = await announce(shared, saying);
    if (holder !== undefined && holder !== nameHolder) log({ event: "name-taken", node: self.name, by: holder });
    nameHolder = holder;
    if (holder !== undefined) return;
    said = saying;
    log({ event: "joined", node: self.name, uidOfNode: self.uid });
  };

  const write = async (): Promise<void> => {
    const changes = unwritten;
    unwritten = [];
    try {
      await store.commit(changes);
    } catch (error) {
      unwritten = [...changes, ...unwritten];
      throw error;
    }
  };

  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "cluster-failed", message: error.message });
    }
  };

  return {
    view,
    get connected() {
      return connected;
    },
    get away() {
      return away;
    },
    get informed() {
      return heard || kept.length > 0;
    },
    get nameHolder() {
      return nameHolder;
    },
    listen: (listener) => void listeners.push(listener),
    say(next) {
      if (JSON.stringify(next) === JSON.stringify(record)) return;
      record = next;
      poke();
    },
    async run(signal) {
      const saying = loop(
        async () => {
          await guarded(join);
          await guarded(write);
          if (doubtedSinceMs === undefined || nowMs() - doubtedSinceMs < BELIEVE_MS) return;
          doubtedSinceMs = undefined;
          taken(view.believe());
        },
        { everyMs: EVERY_MS, debounceMs: 50, signal },
      );
      poke = saying.poke;
      const watching = shared.watch("", hear, signal, (now, error) => {
        connected = now;
        away = [error?.message, error?.hint].filter(Boolean).join(". ");
        for (const listener of listeners) listener.connection(now);
        log(now ? { event: "store-reached" } : { event: "store-away", message: error?.message ?? "" });
        poke();
      });
      await Promise.all([saying.done, watching]);
      await guarded(write);
    },
  };
}

const copied = (each: Taken["kept"][number]): Change =>
  "put" in each
    ? { put: "shared", value: { name: each.put.key, value: each.put.value } }
    : { remove: "shared", name: each.remove };
