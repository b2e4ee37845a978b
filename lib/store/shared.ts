/**
 * The port to what the nodes of a cluster share: keys with values, changed one at a time by compare-and-swap and
 * followed by watches. No more than that, so that etcd and the Kubernetes API can both be it (one object for each key;
 * neither a transaction over several keys nor an order between their revisions is asked for).
 *
 * Leases, attachments and queues of a node stay in its own `Store`: a pod comes and goes while this one is away, and a
 * node that is alone needs none.
 * What keys begin with up to their first `/` is their kind: of one moment, and in order, are those of one kind, in etcd all of
 * them. A value that is a JSON object may come back with its fields in another order; one that is put where it is already may
 * make no new revision, and then nobody is told.
 * Implementations: `shared-memory.ts` (tests), `etcd/etcd.ts`, `kubernetes/kubernetes.ts`. All pass `shared-contract.ts`.
 */
import { SelvedgeError } from "#lib/errors.ts";

/** What a key's value was changed by. Opaque: compared for equality only (an etcd revision, a resourceVersion). */
export type Revision = string & { readonly revision: unique symbol };

export interface Entry {
  /** Segments of letters, digits, `.`, `-`, `_` and `:` joined by `/`: `nodes/alpha`. */
  readonly key: string;
  readonly value: string;
  readonly revision: Revision;
}

export type SharedChange =
  | { readonly put: Entry }
  | { readonly remove: string }
  /** Everything below the prefix as it is now, in place of whatever was known: changes were missed (compaction, an expired watch). */
  | { readonly all: readonly Entry[] };

export interface PutOptions {
  /** Only if the key's value is still of this revision; `absent`: only if there is no such key. Without it: always. */
  readonly if?: Revision | "absent";
  /**
   * The entry goes when this process has not been heard of for `livenessSeconds`, its end included: one that starts
   * again in time and puts it again was never away. An entry that went while the process could not be heard is put
   * again when it can, unless somebody else has put the key since.
   */
  readonly whileAlive?: boolean;
}

/** Whatever throws `SelvedgeError store` has answered within seconds; the caller decides when to try again. */
export interface Shared extends AsyncDisposable {
  /** @throws SelvedgeError store */
  get(key: string): Promise<Entry | undefined>;
  /** Entries whose keys begin with `prefix`, consistent, in the order of their keys. @throws SelvedgeError store */
  list(prefix: string): Promise<readonly Entry[]>;
  /**
   * @returns the new revision; undefined when the condition did not hold, and then nothing was changed.
   * @throws SelvedgeError store; whether it was done is then not known before the key is read again
   */
  put(key: string, value: string, options?: PutOptions): Promise<Revision | undefined>;
  /**
   * @returns whether the condition held (a key that is not there is removed with success unless one is given).
   * @throws SelvedgeError store, as `put` does
   */
  remove(key: string, options?: { readonly if?: Revision }): Promise<boolean>;
  /**
   * First `all`, then every change, in order for each key, until the signal; reconnects by itself with backoff and jitter,
   * resuming where it was. `onConnection` tells when the store is lost (and why) and found again.
   */
  watch(
    prefix: string,
    onChange: (change: SharedChange) => void,
    signal: AbortSignal,
    onConnection?: (connected: boolean, why?: SelvedgeError) => void,
  ): Promise<void>;
}

/** @throws SelvedgeError store */
export function checkKey(key: string): void {
  if (!/^[A-Za-z0-9._:-]+(\/[A-Za-z0-9._:-]+)*$/.test(key))
    throw new SelvedgeError(
      { kind: "store" },
      `shared store: ${JSON.stringify(key)} is no key; it must be segments of letters, digits, ".", "-", "_" and ":" joined by "/"`,
    );
}

/** @throws SelvedgeError store */
export function checkPrefix(prefix: string): void {
  if (!/^[A-Za-z0-9._:/-]*$/.test(prefix))
    throw new SelvedgeError({ kind: "store" }, `shared store: no key begins with ${JSON.stringify(prefix)}`);
}
