/**
 * The shared store in an API server of Kubernetes, 1.29 or newer: one object for each key (kinds.ts), whose resourceVersion is
 * its revision; Leases for those who live. Nothing is opened before it is asked for, so a server that is away is no mistake.
 */
import { SelvedgeError } from "#lib/errors.ts";
import type { ReadAccess } from "#lib/k8s/api/access.ts";
import { asking } from "#lib/k8s/api/ask.ts";
import { headOf } from "#lib/k8s/api/head.ts";
import { byKey } from "../by-key.ts";
import { checkKey, checkPrefix, type Entry, type Revision, type Shared } from "../shared.ts";
import { watches } from "../watches.ts";
import { api } from "./api.ts";
import { kindOf, kindsBelow } from "./kinds.ts";
import { leasesIn } from "./leases.ts";
import { type ApiObject, entryOf, nameOf, objectOf, SESSION } from "./object.ts";
import { session } from "./session.ts";
import { sweep } from "./sweeper.ts";
import { watch } from "./watch.ts";

export interface KubernetesStoreOptions {
  readonly access: ReadAccess;
  /** What the server's audit log calls the daemon: `selvedged/1.0.0`. */
  readonly userAgent: string;
  /** Where Leases are. */
  readonly namespace: string;
  /** What Leases call their holder. */
  readonly holder: string;
  readonly livenessSeconds: number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** So often in a row somebody else was faster. */
const TRIES = 16;

export function kubernetes({
  access,
  userAgent,
  namespace,
  holder,
  livenessSeconds,
  random = Math.random,
}: KubernetesStoreOptions): Shared {
  const closing = new AbortController();
  const { signal } = closing;
  const ask = asking(access, userAgent);
  const objects = api(ask, signal);
  const leases = leasesIn(namespace);
  const watched = watches();
  const common = {
    api: objects,
    leases,
    // Of two processes on one node, each has its own.
    holder: `${holder}-${Math.floor(random() * 2 ** 32).toString(16)}`,
    livenessSeconds,
    signal,
    random,
  };
  let sweeping: Promise<void> | undefined;

  /** Whoever uses the store does its part for it. */
  const use = (): void => {
    if (!signal.aborted) sweeping ??= sweep(common);
  };

  /** @throws SelvedgeError store */
  async function read(key: string): Promise<{ entry: Entry; object: ApiObject } | undefined> {
    const object = await objects.get(kindOf(key), nameOf(key));
    if (object === undefined) return undefined;
    const entry = entryOf(object);
    if (entry?.key === key) return { entry, object };
    const { plural } = kindOf(key);
    throw new SelvedgeError(
      { kind: "store" },
      `API server: ${plural} ${nameOf(key)} is not what Selvedge has of ${key}`,
      {
        hint: `Remove it when nobody needs it: kubectl delete ${plural} ${nameOf(key)}`,
      },
    );
  }

  /** @param version of the object that it is put in place of @returns undefined when that is not there any more */
  async function write(object: ApiObject, key: string, version: string | undefined): Promise<Revision | undefined> {
    const kind = kindOf(key);
    const { metadata, ...rest } = object;
    const put =
      version === undefined
        ? await objects.create(kind, object)
        : await objects.replace(kind, { metadata: { ...metadata, resourceVersion: version }, ...rest });
    return put === undefined ? undefined : (headOf(put).version as Revision);
  }

  async function overwrite(object: ApiObject, key: string): Promise<Revision> {
    for (let tries = 0; tries < TRIES; tries++) {
      const before = await objects.get(kindOf(key), nameOf(key));
      const done = await write(object, key, before === undefined ? undefined : headOf(before).version);
      if (done !== undefined) return done;
    }
    throw new SelvedgeError({ kind: "store" }, `API server: ${key} is changed by others again and again`);
  }

  const alive = session({
    ...common,
    async putAgain({ key, value }, name, before) {
      const now = await read(key);
      const of = now?.object.metadata.labels?.[SESSION];
      if (of === name) return true;
      if (now !== undefined && (of === undefined || !before.has(of))) return false;
      return (await write(objectOf(key, value, name), key, now?.entry.revision)) !== undefined;
    },
  });

  return {
    async get(key) {
      checkKey(key);
      use();
      return (await read(key))?.entry;
    },
    async list(within) {
      checkPrefix(within);
      use();
      const lists = await Promise.all(kindsBelow(within).map((kind) => objects.list(kind)));
      return lists
        .flatMap(({ items }) => items.flatMap((item) => entryOf(item) ?? []))
        .filter(({ key }) => key.startsWith(within))
        .sort(byKey);
    },
    async put(key, value, { if: condition, whileAlive = false } = {}) {
      checkKey(key);
      use();
      const object = objectOf(key, value, whileAlive ? await alive.id() : undefined);
      const revision =
        condition === undefined
          ? await overwrite(object, key)
          : await write(object, key, condition === "absent" ? undefined : condition);
      if (revision !== undefined && whileAlive) alive.holds(key, value);
      else if (revision !== undefined) alive.holdsNoMore(key);
      return revision;
    },
    async remove(key, { if: condition } = {}) {
      checkKey(key);
      use();
      const outcome = await objects.remove(kindOf(key), nameOf(key), condition);
      const isDone = outcome === "removed" || (outcome === "gone" && condition === undefined);
      if (isDone) alive.holdsNoMore(key);
      return isDone;
    },
    async watch(within, onChange, ends, onConnection = () => {}) {
      checkPrefix(within);
      use();
      const watching = watch({
        ask,
        api: objects,
        kinds: kindsBelow(within),
        prefix: within,
        onChange,
        onConnection,
        signal: AbortSignal.any([ends, signal]),
        random,
      });
      await watched.follow(watching);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      ask[Symbol.dispose]();
      await Promise.allSettled([alive.done, sweeping, watched.ended()]);
    },
  };
}
