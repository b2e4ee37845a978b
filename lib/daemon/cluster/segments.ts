/**
 * Segments that stretch over the nodes: who is on them elsewhere, as facts of this node. One that comes, goes or moves
 * costs the same however many there are.
 */
import { type Address, type Family, family } from "#lib/address.ts";
import { type Claim, claimsOf } from "#lib/cluster/endpoints.ts";
import type { EndpointRecord, NodeRecord } from "#lib/cluster/records.ts";
import type { ClusterView } from "#lib/cluster/view.ts";
import { type ChosenWay, isChosen, isEncrypted, wayTo } from "#lib/cluster/ways.ts";
import type { ClusterWays } from "#lib/config/cluster.ts";
import { distantFacts, placeOf, type Stretch, stretchFacts } from "#lib/datapath/stretch.ts";
import type { Here } from "#lib/datapath/ways/ends.ts";
import type { Kernel, Scope } from "#lib/kernel/kernel.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { type Counted, counted } from "./counted.ts";
import type { Peer } from "./peers.ts";

/** Somebody on a segment, on this node. */
export type Station = Pick<EndpointRecord, "network" | "mac" | "addresses" | "sinceMs">;

/** A network that stretches, with what its bridge is. */
export interface StretchedNetwork extends Stretch {
  readonly facts: readonly Fact[];
  /** Names of its pools, which are no other network's: their addresses are reached on the segment. */
  readonly pools: readonly string[];
  /** Bytes; absent: what the path leaves. */
  readonly mtu?: number;
}

export interface Segments {
  /** These are this node's own now. @returns whether they are others than before */
  stations(now: readonly Station[]): boolean;
  own(): readonly Station[];
  /** Something of these endpoints may be different. */
  mark(keys: Iterable<string>): void;
  /** Something of these nodes has changed. */
  markNodes(names: Iterable<string>): void;
  /** Something of this node has changed, or of how it reaches the others. */
  markAll(): void;
  /** Recomputes what is marked, and performs the difference; returns what was done. @throws SelvedgeError kernel */
  settle(): Promise<Op[]>;
  /** Everything that `facts` tells of was computed once. */
  readonly isKnown: boolean;
  /** Of the node itself, or, in which the router is the `pod`, of a tenant. */
  facts(tenant?: string): Fact[];
}

export interface SegmentsOptions {
  readonly kernel: Pick<Kernel, "egress" | "look" | "apply">;
  readonly networks: readonly StretchedNetwork[];
  /** Of a tenant's router; undefined while it is not open: whoever opens it makes its facts. */
  readonly scopeOf: (tenant: string) => Scope | undefined;
  readonly view: ClusterView;
  readonly ways: ClusterWays;
  readonly peers: ReadonlyMap<string, Pick<Peer, "liveness">>;
  readonly own: () => NodeRecord;
  /** Largest packet on a segment, bytes. */
  readonly mtu: () => number;
}

export function segments(options: SegmentsOptions): Segments {
  const { kernel, view, ways, peers, own } = options;
  const networks = new Map(options.networks.map((network) => [network.network, network]));
  const encrypt = isEncrypted(ways);
  /** By tenant. */
  const wanted = new Map<string | undefined, Counted>();
  /** By key of the endpoint, and by network. */
  const distant = new Map<string, Held>();
  let shared: ReadonlyMap<string, Held> = new Map();
  let stations: readonly Station[] = [];
  let here = new Set<string>();
  let marked = new Set<string>();
  let isMarked = true;
  let isKnown = networks.size === 0;
  /** What was computed for these is not there yet. */
  let unfinished = new Set<string>();

  const isHere = ({ network, address }: Claim): boolean => here.has(`${network} ${address}`);
  const nodeOf = ({ node, uid }: EndpointRecord): NodeRecord | undefined => {
    const record = view.nodes.get(node);
    return record?.uid === uid && uid !== own().uid ? record : undefined;
  };

  const factsOf = (key: string, wayOf: ReadonlyMap<string, ChosenWay>): Fact[] => {
    const record = view.endpoints.get(key);
    const network = record && networks.get(record.network);
    const way = record && wayOf.get(record.node);
    if (record === undefined || network === undefined || way === undefined) return [];
    const counts = (each: EndpointRecord): boolean => nodeOf(each) !== undefined;
    const holds = (address: string): boolean => {
      const claim = { network: record.network, address };
      return !isHere(claim) && view.endpoints.holder(claim, counts) === key;
    };
    const addresses = record.addresses.filter(holds);
    return distantFacts(network, {
      mac: record.mac,
      hasMac: holds(record.mac),
      addresses,
      to: way.to,
      underlay: family(way.to),
    });
  };

  /** By name. A node that is dead has none, and who asks for its endpoints is not answered. @throws SelvedgeError kernel */
  const waysOf = async (keys: Iterable<string>): Promise<Map<string, ChosenWay>> => {
    const nodes = new Map<string, NodeRecord>();
    for (const key of keys) {
      const record = view.endpoints.get(key);
      const node = record && nodeOf(record);
      if (node !== undefined && peers.get(node.name)?.liveness !== "dead") nodes.set(node.name, node);
    }
    const reached = await kernel.egress([...nodes.values()].flatMap(({ addresses }) => addresses));
    const egress = new Map(reached.map((each) => [each.to as string, each]));
    const found = new Map<string, ChosenWay>();
    for (const [name, peer] of nodes) {
      const pair = { own: own(), peer, egressTo: (address: Address) => egress.get(address) };
      const way = wayTo(pair, FAMILY, { way: "vxlan", encrypt });
      if (isChosen(way)) found.set(name, way);
    }
    return found;
  };

  const sharedFacts = (): Map<string, Held> => {
    const { addresses, tunnelAddresses } = own();
    const here: Pick<Here, "addresses" | "tunnelAddresses" | "encrypt"> = { addresses, tunnelAddresses, encrypt };
    const of = ({ mtu = options.mtu(), ...network }: StretchedNetwork): Fact[] => [
      ...network.facts.map((fact) => ({ ...fact, at: placeOf(network.tenant) }) as Fact),
      ...stretchFacts(here, network, { port: ways.vxlan.port, mtu }),
    ];
    return new Map(
      Array.from(networks, ([name, network]) => [name, { tenant: network.tenant, facts: of(network) }] as const),
    );
  };

  const countedOf = (tenant: string | undefined): Counted => {
    const found = wanted.get(tenant) ?? counted();
    wanted.set(tenant, found);
    return found;
  };

  const tenantOf = (key: string): string | undefined => {
    const record = view.endpoints.get(key);
    return record && networks.get(record.network)?.tenant;
  };

  const again = (keys: Iterable<string>): void => {
    isMarked = true;
    unfinished.add(SHARED);
    for (const key of keys) {
      marked.add(key);
      unfinished.add(key);
    }
  };

  /** @throws SelvedgeError kernel */
  const perform = async ({
    tenant,
    gone,
    missing,
  }: Pick<Held, "tenant"> & { readonly gone: readonly Fact[]; readonly missing: readonly Fact[] }): Promise<Op[]> => {
    const scope = tenant === undefined ? {} : options.scopeOf(tenant);
    if (scope === undefined) return [];
    const ops = [
      ...gone.map((fact): Op => ({ do: "remove", fact })),
      ...lacking(missing, await kernel.look(scope, missing)),
    ];
    await kernel.apply(scope, ops);
    return ops;
  };

  return {
    own: () => stations,
    stations(now) {
      if (JSON.stringify(now) === JSON.stringify(stations)) return false;
      const changed = [...stations, ...now].flatMap(claimsOf);
      stations = now;
      here = new Set(now.flatMap(claimsOf).map(({ network, address }) => `${network} ${address}`));
      for (const claim of changed) for (const key of view.endpoints.of(claim)) marked.add(key);
      return true;
    },
    mark(keys) {
      for (const key of keys) marked.add(key);
    },
    markNodes(names) {
      for (const name of names) for (const key of view.endpoints.ofNode(name)) marked.add(key);
    },
    markAll() {
      isMarked = true;
      for (const key of [...view.endpoints.keys(), ...distant.keys()]) marked.add(key);
    },
    facts: (tenant) =>
      [...shared.values(), ...distant.values()].flatMap((held) => (held.tenant === tenant ? held.facts : [])),
    get isKnown() {
      return isKnown;
    },
    async settle() {
      if (networks.size === 0 || (!isMarked && marked.size === 0)) return [];
      const [keys, before] = [marked, unfinished];
      marked = new Set();
      unfinished = new Set();
      const changes = new Map<string | undefined, Changed>();
      try {
        const wayOf = await waysOf(keys);
        const replace = (old: Held | undefined, { tenant, facts }: Held, isAgain: boolean): Changed => {
          const change = changes.get(tenant) ?? { keys: [], before: [], after: [], missing: [] };
          const { before, after, missing } = change;
          changes.set(tenant, change);
          before.push(...(old?.facts ?? []));
          after.push(...facts);
          if (isAgain || JSON.stringify(old?.facts) !== JSON.stringify(facts)) missing.push(...facts);
          return change;
        };
        if (isMarked) {
          const now = sharedFacts();
          for (const [name, held] of now) replace(shared.get(name), held, before.size > 0);
          shared = now;
        }
        for (const key of keys) {
          const old = distant.get(key);
          const facts = factsOf(key, wayOf);
          const held = { tenant: old?.tenant ?? tenantOf(key), facts };
          replace(old, held, before.has(key)).keys.push(key);
          if (facts.length > 0) distant.set(key, held);
          else distant.delete(key);
        }
        isMarked = false;
        isKnown = true;
      } catch (error) {
        again(keys);
        throw error;
      }
      const ops: Op[] = [];
      let failure: unknown;
      const goneOf = new Map(
        Array.from(changes, ([tenant, { before, after }]) => [tenant, countedOf(tenant).replace(before, after)]),
      );
      for (const [tenant, { keys, missing }] of changes) {
        try {
          ops.push(...(await perform({ tenant, gone: goneOf.get(tenant) ?? [], missing })));
        } catch (error) {
          // The others are not to wait for it.
          failure ??= error;
          again(keys);
        }
      }
      if (failure !== undefined) throw failure;
      return ops;
    },
  };
}

/** Whose facts they are, the node's own if nobody's. */
interface Held {
  readonly tenant: string | undefined;
  readonly facts: readonly Fact[];
}

interface Changed {
  readonly keys: string[];
  readonly before: Fact[];
  readonly after: Fact[];
  /** Of `after`, what may not be there. */
  readonly missing: Fact[];
}

/** No key of an endpoint: stands for what all share. */
const SHARED = "";
/** The way is that of frames: either would do. */
const FAMILY: Family = 4;
