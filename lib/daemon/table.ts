/**
 * The attachments of this node in memory: the store's twin that the path of an ADD reads. Indexed by what verbs and
 * events ask for; every index is derived from the records by `put` and `remove` and by nothing else.
 */
import type { Fact } from "#lib/state/fact.ts";
import { identity } from "#lib/state/fact.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import { leaseKeys, partsOf } from "./parts.ts";

export const keyOf = (key: AttachmentKey): string => `${key.containerId}/${key.ifname}`;

export interface Table extends Iterable<AttachmentRecord> {
  readonly size: number;
  get(key: AttachmentKey): AttachmentRecord | undefined;
  put(record: AttachmentRecord): void;
  remove(key: AttachmentKey): void;
  /** Attachments of one container, in the order of their ADDs. */
  ofContainer(containerId: string): AttachmentRecord[];
  inNamespace(netnsInode: number): AttachmentRecord[];
  /** By its end of the pair or its ifb. */
  byHostLink(name: string): AttachmentRecord | undefined;
  /** Whose interface it is that an address is leased to: that of the attachment itself, or of one of its planes. */
  ofInterface(key: AttachmentKey): AttachmentRecord | undefined;
  /** Who wants this contested fact on that host, apart from `except`. */
  holder(host: string, fact: Fact, except?: AttachmentKey): AttachmentRecord | undefined;
  /** Whether somebody besides wants it who is not about to go: of two who go at once, one must take it away. */
  isWanted(host: string, fact: Fact, except: AttachmentKey): boolean;
  inPhase(phase: AttachmentRecord["phase"]): number;
}

const onHost = (host: string, fact: Fact): string => `${host}/${identity(fact)}`;

/** `contested` says which facts two attachments may want at once: only those are indexed, for the memory's sake. */
export function table(contested: (fact: Fact) => boolean): Table {
  const records = new Map<string, AttachmentRecord>();
  const byFact = new Map<string, Set<string>>();
  const byInode = new Map<number, Set<string>>();
  const byLink = new Map<string, string>();
  const byContainer = new Map<string, Set<string>>();

  const index = <K>(map: Map<K, Set<string>>, key: K, value: string) => {
    const set = map.get(key);
    if (set === undefined) map.set(key, new Set([value]));
    else set.add(value);
  };
  const unindex = <K>(map: Map<K, Set<string>>, key: K, value: string) => {
    const set = map.get(key);
    set?.delete(value);
    if (set?.size === 0) map.delete(key);
  };
  const found = (keys: Iterable<string> | undefined): AttachmentRecord[] => {
    const all: AttachmentRecord[] = [];
    for (const key of keys ?? []) {
      const record = records.get(key);
      if (record !== undefined) all.push(record);
    }
    return all;
  };

  const remove = (key: AttachmentKey) => {
    const name = keyOf(key);
    const record = records.get(name);
    if (record === undefined) return;
    records.delete(name);
    for (const { host, facts } of partsOf(record))
      for (const fact of facts) {
        if (contested(fact)) unindex(byFact, onHost(host, fact), name);
        if (fact.type === "link" && byLink.get(fact.name) === name) byLink.delete(fact.name);
      }
    if (record.netnsInode !== undefined) unindex(byInode, record.netnsInode, name);
    unindex(byContainer, record.containerId, name);
  };

  const holders = (host: string, fact: Fact, except?: AttachmentKey): AttachmentRecord[] =>
    found(byFact.get(onHost(host, fact))).filter((r) => except === undefined || keyOf(r) !== keyOf(except));

  return {
    get size() {
      return records.size;
    },
    [Symbol.iterator]: () => records.values(),
    get: (key) => records.get(keyOf(key)),
    put(record) {
      remove(record);
      const name = keyOf(record);
      records.set(name, record);
      for (const { host, facts } of partsOf(record))
        for (const fact of facts) {
          if (contested(fact)) index(byFact, onHost(host, fact), name);
          if (fact.type === "link" && fact.at === "host" && !contested(fact)) byLink.set(fact.name, name);
        }
      if (record.netnsInode !== undefined) index(byInode, record.netnsInode, name);
      index(byContainer, record.containerId, name);
    },
    remove,
    ofContainer: (containerId) => found(byContainer.get(containerId)),
    inNamespace: (inode) => found(byInode.get(inode)),
    byHostLink: (link) => found([byLink.get(link) ?? ""])[0],
    ofInterface: (key) =>
      records.get(keyOf(key)) ??
      found(byContainer.get(key.containerId)).find((r) => leaseKeys(r).some((k) => k.ifname === key.ifname)),
    holder: (host, fact, except) => holders(host, fact, except)[0],
    isWanted: (host, fact, except) => holders(host, fact, except).some(({ phase }) => phase !== "deleting"),
    inPhase(phase) {
      let n = 0;
      for (const record of records.values()) if (record.phase === phase) n++;
      return n;
    },
  };
}
