/** A shared store's entries in memory, and all that its watches are told: what rigs of many nodes play a store with. */
import { byKey } from "./by-key.ts";
import type { Entry, PutOptions, Revision, SharedChange } from "./shared.ts";

export interface Entries {
  /** What watches are told, in order. */
  readonly log: readonly SharedChange[];
  get(key: string): Entry | undefined;
  /** By key. */
  below(prefix: string): Entry[];
  /** @returns undefined when the condition does not hold */
  put(key: string, value: string, options?: Pick<PutOptions, "if">): Revision | undefined;
  /** @returns whether the condition holds; what is not there is as good as removed */
  remove(key: string, options?: { readonly if?: Revision }): boolean;
  /** A copy of some; the function puts it in place of what there is then, untold, and revisions are given anew from there. */
  backup(isMeant: (key: string) => boolean): () => void;
}

/** @param tellsSame a value that is put where it is already makes a new revision (etcd), or none, and nobody hears (Kubernetes) */
export function entries({ tellsSame = true } = {}): Entries {
  let held = new Map<string, Entry>();
  let revision = 0;
  const log: SharedChange[] = [];
  return {
    log,
    get: (key) => held.get(key),
    below: (prefix) => [...held.values()].filter(({ key }) => key.startsWith(prefix)).sort(byKey),
    put(key, value, options = {}) {
      if (options.if !== undefined && options.if !== (held.get(key)?.revision ?? "absent")) return undefined;
      const before = held.get(key);
      if (!tellsSame && before?.value === value) return before.revision;
      const entry = { key, value, revision: `${++revision}` as Revision };
      held.set(key, entry);
      log.push({ put: entry });
      return entry.revision;
    },
    remove(key, options = {}) {
      if (options.if !== undefined && options.if !== held.get(key)?.revision) return false;
      if (!held.delete(key)) return true;
      revision += 1;
      log.push({ remove: key });
      return true;
    },
    backup(isMeant) {
      const [copy, at] = [new Map([...held].filter(([key]) => isMeant(key))), revision];
      return () => {
        held = new Map(copy);
        revision = at;
      };
    },
  };
}
