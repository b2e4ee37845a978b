/**
 * Policies, namespaces, pods and the attachments of this node, as elements for the kernel. Every change touches what it is
 * about and no more: of a pod its own elements, of a policy those of its subjects and of the classes that it tells apart.
 */
import { type Address, type Family, family } from "#lib/address.ts";
import type { ElementFact } from "#lib/state/fact.ts";
import { aboutOf } from "./about.ts";
import { blocksOf, type Piece, pieces } from "./blocks.ts";
import { claims } from "./claims.ts";
import { isWho } from "./decide.ts";
import { type LongRange, podElement } from "./elements.ts";
import { addressesIn, addressesText, type Entry, isHolding, NO_PORTS, podOf, toldPod, wantedOf } from "./entry.ts";
import type { Held } from "./held.ts";
import { ledger } from "./ledger.ts";
import { namespaceOf } from "./manifest.ts";
import { type Block, type Labels, type NamedPort, type Namespace, type Pod, type Policy, podKey } from "./objects.ts";
import { peerClasses, type Traits } from "./peer-classes.ts";
import { podKinds } from "./pod-kinds.ts";
import { portsText } from "./program.ts";
import { subjects } from "./subjects.ts";

/** Addresses that are no pod's, and which class of peers they belong to. */
export interface OutsideRange extends Piece {
  readonly peers: string;
}

export interface Enforcement {
  setRules(policies: readonly Policy[], namespaces: ReadonlyMap<string, Namespace>): void;
  putPod(pod: Pod): void;
  removePod(key: string): void;
  hold(held: Held): void;
  release(key: string): void;
  /** What of the elements changed since the last time. */
  take(): { readonly add: readonly ElementFact[]; readonly remove: readonly ElementFact[] };
  elements(): Iterable<ElementFact>;
  /** What should stand under an element's key now. */
  standing(fact: ElementFact): ElementFact | undefined;
  /** Those that are about an attachment's addresses. */
  elementsOf(key: string): ElementFact[];
  /** What is part of the chains, since only few change it. */
  outside(): readonly OutsideRange[];
  longRanges(): readonly LongRange[];
  /** As it stands, for whoever asks about a packet. */
  pod(key: string): Pod | undefined;
  podAt(address: Address): Pod | undefined;
  /** All that were told of, as they were. */
  told(): Iterable<Pod>;
  readonly policies: readonly Policy[];
  namespaceLabels(name: string): Labels;
}

/** Whose an address is, and what it has joined. */
interface Member {
  readonly entry: Entry;
  readonly traits: Traits;
}

const NO_BLOCKS: readonly string[] = [];
const NO_LABELS: Labels = {};

export function enforcement(): Enforcement {
  const elements = ledger();
  const kinds = podKinds();
  const entries = new Map<string, Entry>();
  const holders = new Map<string, Entry>();
  const byAddress = new Map<Address, Member>();
  const claimed = claims<Entry>();
  /** Attached here still, though the pod was told to be gone. */
  const gone = new Set<Entry>();
  let policies: readonly Policy[] = [];
  let namespaces: ReadonlyMap<string, Namespace> = new Map();
  let names: ReadonlySet<string> = new Set();
  let cut: Readonly<Record<Family, readonly Piece[]>> = { 4: [], 6: [] };
  let cutText = "";
  let outsideTraits: readonly Traits[] = [];
  let outside: readonly OutsideRange[] = [];
  const classes = peerClasses({ came: (peers) => held.came(peers), went: (peers) => held.went(peers) });
  const held = subjects(elements, () => classes);

  const namespaceLabels = (name: string): Labels => (namespaces.get(name) ?? namespaceOf(name)).labels;
  const world = { namespaceLabels };

  const portsOf = ({ ports }: Entry): readonly NamedPort[] => ports ?? NO_PORTS;
  const traitsOf = (entry: Entry, address: Address): Traits => {
    const { selected } = entry.kind;
    const blocks = blocksOf(cut[family(address)], address);
    const ports = names.size === 0 ? NO_PORTS : portsOf(entry).filter(({ name }) => names.has(name));
    if (blocks.length + ports.length > 0) return { isPod: true, selected, blocks, ports };
    // Most pods are told apart by their labels alone: one object for all of a kind.
    const { plain } = entry.kind;
    if (plain?.selected === selected) return plain;
    entry.kind.plain = { isPod: true, selected, blocks: NO_BLOCKS, ports: NO_PORTS };
    return entry.kind.plain;
  };

  /** The classes that a pod's addresses belong to. */
  const sort = (entry: Entry): void => {
    const wanted = wantedOf(entry);
    for (const address of wanted) {
      const member = byAddress.get(address);
      const isOwn = member?.entry === entry;
      if (member !== undefined && !isOwn) {
        if (!isBefore(entry, member.entry, address)) {
          claimed.add(address, entry);
          continue;
        }
        part(member, address);
        claimed.add(address, member.entry);
      }
      claimed.drop(address, entry);
      const traits = traitsOf(entry, address);
      if (isOwn && sameTraits(member.traits, traits)) continue;
      elements.put(podElement(address, classes.join(traits)));
      byAddress.set(address, { entry, traits });
      if (isOwn) classes.leave(member.traits);
    }
    for (const address of addressesIn(entry.joined)) if (!wanted.includes(address)) leave(entry, address);
    const joined = addressesText(wanted.filter((address) => byAddress.get(address)?.entry === entry));
    entry.joined = joined === entry.addresses ? entry.addresses : joined;
  };
  /** What is attached here has the address, whatever is told of others; else whoever was told with it last, not again. */
  const isBefore = (entry: Entry, other: Entry, address: Address): boolean => {
    const isHere = isHolding(entry, address);
    return isHere === isHolding(other, address) ? !claimed.has(address, entry) : isHere;
  };
  const part = ({ entry, traits }: Member, address: Address): void => {
    entry.joined = addressesText(addressesIn(entry.joined).filter((each) => each !== address));
    byAddress.delete(address);
    elements.drop(podElement(address, ""));
    classes.leave(traits);
  };
  /** The address is the next one's who was told with it. */
  const leave = (entry: Entry, address: Address): void => {
    const member = byAddress.get(address);
    if (member?.entry !== entry) return;
    part(member, address);
    const others = claimed.to(address);
    const next = others.findLast((other) => isHolding(other, address)) ?? others.at(-1);
    if (next !== undefined) sort(next);
  };

  /** The policies of those kinds of pods of which somebody has asked, brought up to date. */
  const reselect = (before: readonly Policy[], relabelled: ReadonlySet<string>): void => {
    const [old, now] = [new Set(before), new Set(policies)];
    const added = policies.filter((policy) => !old.has(policy));
    for (const kind of kinds) {
      if (kind.policies === undefined) continue;
      if (relabelled.has(kind.namespace)) delete kind.policies;
      else {
        const fresh = added.filter(({ subject }) => isWho(world, subject, kind));
        if (fresh.length > 0 || !kind.policies.every((policy) => now.has(policy)))
          kind.policies = [...kind.policies.filter((policy) => now.has(policy)), ...fresh];
      }
    }
  };

  const applyPolicies = (entry: Entry): void => {
    if (entry.held === undefined) return;
    entry.kind.policies ??= policies.filter(({ subject }) => isWho(world, subject, entry.kind));
    for (const { subject } of entry.held.values()) held.hold(subject, entry.kind.policies, portsOf(entry));
  };

  /** After something of the pod itself changed. `labels`: absent where nobody has told any. */
  const settle = (entry: Entry, labels?: Labels): void => {
    if (entry.ports === undefined && entry.held === undefined) {
      claimed.keep(entry, []);
      for (const address of addressesIn(entry.joined)) leave(entry, address);
      entries.delete(entry.key);
      gone.delete(entry);
      kinds.leave(entry.kind);
      return;
    }
    const [first] = entry.held?.values() ?? [];
    const isUntold = entry.ports === undefined && !gone.has(entry);
    const now = labels ?? (isUntold ? first?.held.labels : undefined) ?? entry.kind.labels;
    const kind = kinds.join({ namespace: entry.kind.namespace, labels: now });
    kinds.leave(entry.kind);
    entry.kind = kind;
    applyPolicies(entry);
    claimed.keep(entry, wantedOf(entry));
    sort(entry);
  };

  const entryOf = (of: Pick<Pod, "namespace" | "name"> & { readonly labels?: Labels }): Entry => {
    const key = podKey(of);
    const there = entries.get(key);
    if (there !== undefined) return there;
    const made: Entry = {
      key,
      kind: kinds.join({ namespace: of.namespace, labels: of.labels ?? NO_LABELS }),
      ports: undefined,
      addresses: "",
      held: undefined,
      joined: "",
      isUnready: false,
    };
    entries.set(key, made);
    return made;
  };

  const recut = (blocks: ReadonlyMap<string, Block>): void => {
    const text = [...blocks.keys()].sort().join("; ");
    if (text === cutText) return;
    cutText = text;
    cut = { 4: pieces(blocks, 4), 6: pieces(blocks, 6) };
    const before = outsideTraits;
    const all = [...cut[4], ...cut[6]].map((piece) => ({ piece, traits: outsider(piece) }));
    outsideTraits = all.map(({ traits }) => traits);
    outside = all.map(({ piece, traits }) => ({ ...piece, peers: classes.join(traits) }));
    for (const traits of before) classes.leave(traits);
  };

  const release = (key: string): void => {
    const entry = holders.get(key);
    const found = entry?.held?.get(key);
    if (entry?.held === undefined || found === undefined) return;
    held.release(found.subject);
    entry.held.delete(key);
    if (entry.held.size === 0) entry.held = undefined;
    holders.delete(key);
    // The pod may be told of for a while, and who has come after it has the address now.
    for (const address of found.held.addresses)
      if (!isHolding(entry, address) && claimed.to(address).length > 0) {
        leave(entry, address);
        claimed.add(address, entry);
      }
    settle(entry);
  };

  return {
    get policies() {
      return policies;
    },
    namespaceLabels,
    setRules(nextPolicies, nextNamespaces) {
      const relabelled = new Set(
        [...new Set([...namespaces.keys(), ...nextNamespaces.keys()])].filter(
          (name) =>
            namespaces.get(name) !== nextNamespaces.get(name) &&
            labelText(namespaces.get(name)) !== labelText(nextNamespaces.get(name)),
        ),
      );
      const about = aboutOf(nextPolicies);
      const isNewBlocks = [...about.blocks.keys()].sort().join("; ") !== cutText;
      const isNewNames = names.symmetricDifference(about.names).size > 0;
      const before = policies;
      policies = nextPolicies;
      namespaces = nextNamespaces;
      names = about.names;
      recut(about.blocks);
      const changed = new Set(kinds.choose(about.whos, namespaceLabels, relabelled));
      for (const entry of entries.values()) if (isNewBlocks || isNewNames || changed.has(entry.kind)) sort(entry);
      reselect(before, relabelled);
      for (const entry of new Set(holders.values())) applyPolicies(entry);
    },
    putPod(pod) {
      const entry = entryOf(pod);
      gone.delete(entry);
      entry.ports = pod.ports;
      entry.addresses = addressesText(pod.addresses);
      entry.isUnready = pod.isUnready === true;
      settle(entry, pod.labels);
      // Replicas have the same ports.
      const { kind } = entry;
      if (portsText(kind.ports) !== portsText(pod.ports)) kind.ports = pod.ports;
      entry.ports = kind.ports;
    },
    removePod(key) {
      const entry = entries.get(key);
      if (entry?.ports === undefined) return;
      entry.ports = undefined;
      entry.addresses = "";
      gone.add(entry);
      settle(entry);
    },
    hold(of) {
      release(of.key);
      const entry = entryOf(of);
      entry.held ??= new Map();
      for (const address of of.addresses) claimed.drop(address, entry);
      entry.held.set(of.key, { held: of, subject: { addresses: of.addresses, running: {} } });
      holders.set(of.key, entry);
      settle(entry);
    },
    release,
    take: () => elements.take(),
    elements: () => elements.all(),
    standing: (fact) => elements.at(fact),
    elementsOf(key) {
      const subject = holders.get(key)?.held?.get(key)?.subject;
      if (subject === undefined) return [];
      const pods = subject.addresses.flatMap((address) => elements.at(podElement(address, "")) ?? []);
      return [...pods, ...held.elementsOf(subject)];
    },
    outside: () => outside,
    longRanges: () => held.longRanges(),
    pod(key) {
      const entry = entries.get(key);
      return entry && podOf(entry);
    },
    podAt(address) {
      const member = byAddress.get(address);
      return member && podOf(member.entry);
    },
    *told() {
      for (const entry of entries.values()) if (entry.ports !== undefined) yield toldPod(entry);
    },
  };
}

const outsider = ({ blocks }: Piece): Traits => ({ isPod: false, selected: [], blocks, ports: [] });

const labelText = (namespace: Namespace | undefined): string =>
  JSON.stringify(Object.entries(namespace?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

const sameTraits = (a: Traits, b: Traits): boolean =>
  a.selected === b.selected && a.blocks.join() === b.blocks.join() && portsText(a.ports) === portsText(b.ports);
