/**
 * What this node has because of the others: for each the way to it and the facts that follow, recomputed for those alone
 * of which something has changed, and applied element by element.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { Family } from "#lib/address.ts";
import type { Liveness } from "#lib/cluster/liveness.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { ClusterView } from "#lib/cluster/view.ts";
import { type ChosenWay, isChosen, type NoWay, wayTo } from "#lib/cluster/ways.ts";
import type { ClusterWays } from "#lib/config/cluster.ts";
import { type Devices, devicesWith, hereFacts, NO_DEVICES, peerFacts } from "#lib/datapath/ways/facts.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Egress } from "#lib/state/egress.ts";
import type { Fact } from "#lib/state/fact.ts";
import { counted } from "./counted.ts";
import type { Secrecy } from "./secrecy.ts";
import { hereOf, thereOf } from "./there.ts";

export interface Peer {
  readonly record: NodeRecord;
  readonly liveness: Liveness;
  /** By family of pods' addresses. */
  readonly ways: Readonly<Record<Family, ChosenWay | NoWay>>;
  /** By the same: of answers to pods there that leave the cluster by this node. */
  readonly answers: Readonly<Partial<Record<Family, ChosenWay>>>;
  readonly facts: readonly Fact[];
}

export interface Peers {
  /** By name; the newest that `settle` has seen. */
  readonly all: ReadonlyMap<string, Peer>;
  /** Something of these has changed: the next `settle` looks at them. */
  mark(names: Iterable<string>): void;
  /** Something of this node has changed, or of how it reaches the others. */
  markAll(): void;
  /** Recomputes what is marked, and performs the difference; returns what was done. @throws SelvedgeError kernel */
  settle(): Promise<Op[]>;
  /** Nothing is marked. */
  readonly settled: boolean;
  /** Everything that is wanted because of all of them. */
  facts(): Fact[];
  /** Whether packets to other nodes leave by this link of the machine. */
  isUnderlay(link: string): boolean;
}

export interface PeersOptions {
  readonly kernel: Pick<Kernel, "egress" | "look" | "apply">;
  readonly view: ClusterView;
  readonly ways: ClusterWays;
  /** This node as the others know it. */
  readonly own: () => NodeRecord;
  readonly livenessOf: (peer: NodeRecord) => Liveness;
  readonly keys: Pick<Secrecy, "active" | "inUse">;
  /** Pods leave the cluster by other nodes than their own, and WireGuard would not take the answers. */
  readonly answering: boolean;
}

const FAMILIES = [4, 6] as const satisfies readonly Family[];
/**
 * Destinations that go to the kernel at once, some 20 ms of work: between two groups of peers pods come and go, and what the
 * kernel tells of it all is read before it overflows.
 */
const GROUP = 250;

export function peers({ kernel, view, ways, own, livenessOf, keys, answering }: PeersOptions): Peers {
  const all = new Map<string, Peer>();
  const facts = counted();
  let shared: { readonly devices: Devices; readonly facts: readonly Fact[] } = { devices: NO_DEVICES, facts: [] };
  let marked = new Set<string>();
  /** What was computed for these is not there yet. */
  let unfinished = new Set<string>();

  const here = () => hereOf(own(), ways, keys.active);

  const computed = (record: NodeRecord, egress: ReadonlyMap<string, Egress>): Peer => {
    const liveness = livenessOf(record);
    const pair = { own: own(), peer: record, egressTo: (address: string) => egress.get(address) };
    const chosen = { 4: wayTo(pair, 4, ways), 6: wayTo(pair, 6, ways) };
    // Without routes the pool's own route refuses what goes there, and whoever sends it is told.
    const prefixes = liveness === "dead" ? [] : view.destinationsOf(record.name).map(({ prefix }) => prefix);
    const within = { way: "vxlan", encrypt: true } as const;
    const answers = answering ? usable({ 4: wayTo(pair, 4, within), 6: wayTo(pair, 6, within) }) : {};
    return {
      record,
      liveness,
      ways: chosen,
      answers,
      facts: peerFacts(
        here(),
        thereOf(record, { prefixes, ways: usable(chosen), answers, active: keys.inUse(record) }),
      ),
    };
  };

  const devices = (): Devices => [...all.values()].flatMap(waysOf).reduce(devicesWith, NO_DEVICES);

  /** The next of the names, from an index on. */
  const groupAt = (names: readonly string[], first: number): string[] => {
    let end = first;
    for (let size = 0; end < names.length && size < GROUP; end++)
      size += 1 + view.destinationsOf(names[end] ?? "").length;
    return names.slice(first, end);
  };

  /** Recomputes these, and performs the difference. @throws SelvedgeError kernel */
  const settleSome = async (names: readonly string[], again: ReadonlySet<string>): Promise<Op[]> => {
    const records = names.flatMap((name) => view.nodes.get(name) ?? []);
    const reached = await kernel.egress(records.flatMap(({ addresses }) => addresses));
    const egress = new Map(reached.map((each) => [each.to as string, each]));
    const wanted: Fact[] = [];
    const gone: Fact[] = [];
    const added: ChosenWay[] = [];
    let isOther = false;
    for (const name of names) {
      const record = view.nodes.get(name);
      const before = all.get(name);
      const after = record === undefined ? undefined : computed(record, egress);
      if (after === undefined) all.delete(name);
      else all.set(name, after);
      if (before === undefined) added.push(...(after === undefined ? [] : waysOf(after)));
      else isOther ||= !isSame([before.ways, before.answers], [after?.ways, after?.answers]);
      if (!again.has(name) && isSame(before?.facts, after?.facts)) continue;
      gone.push(...facts.replace(before?.facts ?? [], after?.facts ?? []));
      wanted.push(...(after?.facts ?? []));
    }
    // A peer more can only add to what is needed: it costs the same however many there are.
    const needed = isOther ? devices() : added.reduce(devicesWith, shared.devices);
    const now = hereFacts(here(), needed);
    if (again.size > 0 || !isSame(shared.facts, now)) {
      gone.push(...facts.replace(shared.facts, now));
      shared = { devices: needed, facts: now };
      wanted.unshift(...now);
    }
    const ops = [
      // What one had, another one of these may have now: an address that has moved.
      ...gone.filter((fact) => !facts.has(fact)).map((fact): Op => ({ do: "remove", fact })),
      ...lacking(wanted, await kernel.look({}, wanted)),
    ];
    await kernel.apply({}, ops);
    return ops;
  };

  return {
    all,
    mark(names) {
      for (const name of names) marked.add(name);
    },
    markAll() {
      for (const name of [...view.nodes.keys(), ...all.keys()]) marked.add(name);
    },
    get settled() {
      return marked.size === 0;
    },
    facts: () => [...shared.facts, ...[...all.values()].flatMap((peer) => peer.facts)],
    isUnderlay: (link) => [...all.values()].some((peer) => FAMILIES.some((pods) => linkOf(peer.ways[pods]) === link)),
    async settle() {
      if (marked.size === 0) return [];
      const self = own();
      const names = [...marked].filter((name) => name !== self.name);
      const again = unfinished;
      marked = new Set();
      unfinished = new Set();
      const ops: Op[] = [];
      let failure: unknown;
      // Of this node alone something may have changed, too.
      for (let done = 0; done === 0 || done < names.length; ) {
        const some = groupAt(names, done);
        try {
          ops.push(...(await settleSome(some, again)));
        } catch (error) {
          // The others are not to wait for it.
          failure ??= error;
          for (const name of some) {
            marked.add(name);
            unfinished.add(name);
          }
        }
        done += Math.max(1, some.length);
        if (done < names.length) await turn();
      }
      if (failure !== undefined) throw failure;
      return ops;
    },
  };
}

const usable = (ways: Peer["ways"]): Partial<Record<Family, ChosenWay>> =>
  Object.fromEntries(FAMILIES.flatMap((pods) => (isChosen(ways[pods]) ? [[pods, ways[pods]]] : [])));

const waysOf = ({ ways, answers }: Peer): ChosenWay[] => [...Object.values(usable(ways)), ...Object.values(answers)];

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const linkOf = (way: ChosenWay | NoWay): string | undefined => (isChosen(way) ? way.egress.link : undefined);
