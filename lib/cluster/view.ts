/**
 * What is known of the cluster: the shared records, kept in step change by change. One changed record costs the same in a
 * cluster of any size, and the answer names the nodes for which something is different now.
 *
 * A list that holds none of the nodes known before is no proof that they are gone: a store that was restored from
 * nothing, or another cluster's, would look the same. What such a list lacks stays until `believe` is told to.
 */
import { isFailure } from "#lib/errors.ts";
import type { Found } from "#lib/parse.ts";
import { type Endpoints, endpoints } from "./endpoints.ts";
import { type Destination, holdings } from "./holdings.ts";
import { readBlock, readEgress, readEndpoint, readFixed, readJson, readLiveness, readNode } from "./read-record.ts";
import { type EgressRecord, KEYS, type NodeRecord } from "./records.ts";

/** A key and its value, as the shared store has it; the revision is the store's own business. */
export interface Known {
  readonly key: string;
  readonly value: string;
}

export type ViewChange =
  | { readonly put: Known }
  | { readonly remove: string }
  /** Everything as it is now. */
  | { readonly all: readonly Known[] };

export interface Taken {
  /** Names of the nodes whose record, liveness or destinations have changed. */
  readonly nodes: ReadonlySet<string>;
  /** Addresses that pods leave by of which something has changed. */
  readonly egress: ReadonlySet<string>;
  /** Keys of the endpoints of which something may be different. */
  readonly endpoints: ReadonlySet<string>;
  /** Records that could not be read; what was known under their keys stays. */
  readonly refused: readonly { readonly key: string; readonly message: string }[];
  /** What was put or removed, for whoever keeps a copy. Liveness is not among it. */
  readonly kept: readonly ({ readonly put: Known } | { readonly remove: string })[];
}

export interface ClusterView {
  /** By name. */
  readonly nodes: ReadonlyMap<string, NodeRecord>;
  /** By name: uid of the node that is heard of by the store. */
  readonly alive: ReadonlyMap<string, string>;
  /** By address. */
  readonly egress: ReadonlyMap<string, EgressRecord>;
  readonly endpoints: Endpoints;
  /** What is reached by way of a node; nothing for one that is not known. */
  destinationsOf(node: string): readonly Destination[];
  take(change: ViewChange): Taken;
  /** How many records are missing from the last list, and still held on to. */
  readonly doubted: number;
  /** Gives up what is doubted. */
  believe(): Taken;
}

/**
 * @param self name of this node: to be alone with it is the same as to be alone
 * @param isRouted whether the addresses of a pool are reached by way of the node that has them
 */
export function clusterView(self: string, isRouted: (pool: string) => boolean = () => true): ClusterView {
  const raw = new Map<string, string>();
  const nodes = new Map<string, NodeRecord>();
  const alive = new Map<string, string>();
  const egress = new Map<string, EgressRecord>();
  const held = holdings();
  const there = endpoints();
  const doubted = new Set<string>();

  /** Reads the record of a key into its place; the names that it concerns. @throws SelvedgeError config-invalid */
  const read = (found: Found, noted: Notes): void => {
    const key = found.path;
    const name = nameIn(key);
    if (key.startsWith(KEYS.nodes)) {
      nodes.set(name, { ...readNode(found), name });
      noted.nodes.add(name);
    } else if (key.startsWith(KEYS.alive)) {
      alive.set(name, readLiveness(found).uid);
      noted.nodes.add(name);
    } else if (key.startsWith(KEYS.blocks)) addAll(noted.nodes, held.putBlock(key, readBlock(found)));
    else if (key.startsWith(KEYS.fixed)) addAll(noted.nodes, held.putFixed(key, readFixed(found)));
    else if (key.startsWith(KEYS.egress)) {
      egress.set(name, readEgress(found));
      noted.egress.add(name);
    } else if (key.startsWith(KEYS.endpoints)) addAll(noted.endpoints, there.put(key, readEndpoint(found)));
  };

  const put = ({ key, value }: Known, noted: Notes): void => {
    doubted.delete(key);
    if (!isRead(key) || raw.get(key) === value) return;
    try {
      read(readJson(key, value), noted);
    } catch (error) {
      if (!isFailure(error)) throw error;
      noted.refused.push({ key, message: error.message });
      return;
    }
    raw.set(key, value);
    if (!key.startsWith(KEYS.alive)) noted.kept.push({ put: { key, value } });
  };

  const remove = (key: string, noted: Notes): void => {
    doubted.delete(key);
    if (!raw.delete(key)) return;
    const name = nameIn(key);
    if (key.startsWith(KEYS.nodes)) nodes.delete(name);
    if (key.startsWith(KEYS.alive)) alive.delete(name);
    if (key.startsWith(KEYS.egress) && egress.delete(name)) noted.egress.add(name);
    if (key.startsWith(KEYS.nodes) || key.startsWith(KEYS.alive)) noted.nodes.add(name);
    addAll(noted.nodes, held.remove(key));
    if (key.startsWith(KEYS.endpoints)) addAll(noted.endpoints, there.remove(key));
    if (!key.startsWith(KEYS.alive)) noted.kept.push({ remove: key });
  };

  /** Keys of a kind that tell of others. */
  const ofOthers = (keys: Iterable<string>, kind: string): string[] =>
    [...keys].filter((key) => key.startsWith(kind) && key !== `${KEYS.nodes}${self}`);

  const replace = (all: readonly Known[], noted: Notes): void => {
    const now = new Set(all.map(({ key }) => key));
    const missing = [...raw.keys()].filter((key) => !now.has(key));
    const isBelieved = ofOthers(now, KEYS.nodes).length > 0 || ofOthers(raw.keys(), KEYS.nodes).length === 0;
    for (const entry of all) put(entry, noted);
    doubted.clear();
    for (const key of missing) {
      if (isBelieved || key.startsWith(KEYS.alive)) remove(key, noted);
      else doubted.add(key);
    }
  };

  return {
    nodes,
    alive,
    egress,
    endpoints: there,
    destinationsOf(node) {
      const record = nodes.get(node);
      return record === undefined ? [] : held.of(node, record.uid).filter(({ pool }) => isRouted(pool));
    },
    take(change) {
      const noted = notes();
      if ("put" in change) put(change.put, noted);
      else if ("remove" in change) remove(change.remove, noted);
      else replace(change.all, noted);
      return noted;
    },
    get doubted() {
      return doubted.size;
    },
    believe() {
      const noted = notes();
      for (const key of [...doubted]) remove(key, noted);
      return noted;
    },
  };
}

interface Notes extends Taken {
  readonly nodes: Set<string>;
  readonly egress: Set<string>;
  readonly endpoints: Set<string>;
  readonly refused: { key: string; message: string }[];
  readonly kept: ({ put: Known } | { remove: string })[];
}

const notes = (): Notes => ({ nodes: new Set(), egress: new Set(), endpoints: new Set(), refused: [], kept: [] });

const READ: readonly string[] = [KEYS.nodes, KEYS.alive, KEYS.blocks, KEYS.fixed, KEYS.egress, KEYS.endpoints];
/** Other parts of the daemon keep records of their own in the store. */
const isRead = (key: string): boolean => READ.some((kind) => key.startsWith(kind));

const nameIn = (key: string): string => key.slice(key.indexOf("/") + 1);

const addAll = (to: Set<string>, from: ReadonlySet<string>): void => {
  for (const each of from) to.add(each);
};
