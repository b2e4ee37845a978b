/** This node as one of a cluster: who it is, what it knows of the others, and what follows from that for the node. */
import type { Address } from "#lib/address.ts";
import { type Liveness, livenessOf } from "#lib/cluster/liveness.ts";
import type { ProbeReport } from "#lib/cluster/probing.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { ClusterView } from "#lib/cluster/view.ts";
import { isEncrypted, largestOverhead } from "#lib/cluster/ways.ts";
import type { Cluster as ClusterConfig } from "#lib/config/cluster.ts";
import type { OpenEcho } from "#lib/echo/echo.ts";
import type { NodeFacts } from "#lib/kernel/kernel.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Shared } from "#lib/store/shared.ts";
import type { Snapshot } from "#lib/store/store.ts";
import type { Ports } from "../core.ts";
import { type EgressState, egressWays } from "./egress.ts";
import { gateway, watchOver } from "./gateway.ts";
import { type Identity, identityOf } from "./identity.ts";
import { type KeyFiles, openKeyring } from "./keyring.ts";
import { type Listener, membership } from "./membership.ts";
import { refuseOffload } from "./offload.ts";
import { ownAddresses } from "./own-addresses.ts";
import { placeOf, waysOf } from "./own-record.ts";
import { type Peer, peers } from "./peers.ts";
import { prober } from "./prober.ts";
import { needsKeys, secrecy } from "./secrecy.ts";
import { type SegmentsOptions, type Station, type StretchedNetwork, segments } from "./segments.ts";
import { slowGrowth } from "./slow-growth.ts";
import { stations } from "./stations.ts";

export interface Cluster {
  readonly self: Identity;
  /** This node as it tells the others. */
  readonly record: NodeRecord;
  readonly view: ClusterView;
  readonly peers: ReadonlyMap<string, Peer>;
  /** Whether the store is reached; undefined before the first try has ended. */
  readonly connected: boolean | undefined;
  /** Why it is not, and what to do about it; empty while it is. */
  readonly away: string;
  /** Enough is known of the others to tell what leads to them. */
  readonly informed: boolean;
  /** What segments need is known, too: whatever else is there is superfluous. */
  readonly areSegmentsKnown: boolean;
  /** What stands in the way of this node's taking part, one sentence; undefined when nothing does. */
  readonly trouble: string | undefined;
  /** Whether a sentence was `trouble` at some time. */
  isTrouble(sentence: string): boolean;
  /** Lets somebody else follow what the store tells, from now on. */
  listen(listener: Listener): void;
  probesOf(peer: string): ProbeReport | undefined;
  /**
   * How many questions in a row a peer has not answered that took the way of pods' packets, where it answers those that go
   * to it directly: nodes reach each other, and their pods do not. 0: none.
   */
  unansweredByWay(peer: string): number;
  /**
   * Largest packet that leaves this node whole by any way, bytes: what pods have. Routes to a node that takes less say so;
   * when this one takes more, the others hear of it first.
   */
  podMtu(): number;
  /** The same on a segment that stretches over the nodes, where no route could: for every node on it. */
  segmentMtu(node: NodeFacts): number;
  /** These are on such segments here; what the others have not been told of yet they are told. Reports its own failures. */
  tell(stations: readonly Station[]): Promise<void>;
  /** The machine may have other addresses or other routes to the others. */
  refresh(node: NodeFacts): void;
  /** These are the node's own addresses among pods. */
  own(addresses: readonly Address[]): void;
  /**
   * Brings the node in line with what has changed of the others; returns what was done. What fails holds up nothing else.
   * @throws SelvedgeError kernel
   */
  settle(): Promise<Op[]>;
  /** What the node needs because of the others. */
  facts(): Fact[];
  /** What a tenant's router, the `pod` of the facts, needs because of the tenant's pods on other nodes. */
  segmentFacts(tenant: string): Fact[];
  isUnderlay(link: string): boolean;
  /** Where pods leave the cluster that do so by addresses of their own. */
  egress(): readonly EgressState[];
  /**
   * Takes part until the signal; calls back when there is something to settle, and when this node has come to hold an
   * egress address: `taken` is its place in the configuration.
   */
  run(onChange: () => void, signal: AbortSignal, onTaken?: (taken: number) => void): Promise<void>;
}

export interface ClusterPorts extends Pick<Ports, "kernel" | "store" | "log" | "nowMs" | "clockUs"> {
  readonly shared: Shared;
  readonly echo: OpenEcho;
  /** Absent: the node has no WireGuard. */
  readonly keyFiles?: KeyFiles;
}

export interface ClusterOptions {
  readonly config: ClusterConfig;
  readonly node: NodeFacts;
  readonly snapshot: Pick<Snapshot, "shared" | "own" | "leases">;
  readonly version: string;
  /** Those that stretch over the nodes. */
  readonly networks: readonly StretchedNetwork[];
  /** Whether a pool's addresses are somebody's on the nodes themselves, and not in tenants' routers alone. */
  readonly isRouted: (pool: string) => boolean;
  /** Of a tenant's router; undefined while it is not open. */
  readonly scopeOf: SegmentsOptions["scopeOf"];
}

/** @throws SelvedgeError store, kernel, config-invalid where the kernel lacks what is asked for */
export async function openCluster(ports: ClusterPorts, options: ClusterOptions): Promise<Cluster> {
  const { config, snapshot, version } = options;
  const { kernel, log, clockUs } = ports;
  const self = await identityOf(ports.store, snapshot.own, config.node);
  const present = new Set((await kernel.features()).flatMap((feature) => (feature.present ? [feature.name] : [])));
  refuseOffload(config, present);
  const ways = waysOf(present, config);
  const keyring =
    ports.keyFiles === undefined || !ways.includes("wireguard") || !needsKeys(config)
      ? undefined
      : await openKeyring({ ...ports, ...config.wireguard, files: ports.keyFiles, kept: snapshot.own });
  const keys = secrecy({
    kernel,
    keyring,
    port: config.wireguard.port,
    peers: () => [...view.nodes.values()].filter(isOther),
    onFailure: ({ message }) => log({ event: "cluster-failed", message }),
  });
  let among: readonly Address[] = ownAddresses(snapshot.leases);
  const recordFor = (node: NodeFacts): NodeRecord => ({
    ...self,
    ...(keys.told === undefined ? {} : { wireguard: keys.told }),
    ...placeOf(node, config),
    ways,
    tunnelAddresses: among,
    echoPort: config.probe.port,
    version,
  });
  let seen = options.node;
  let record = recordFor(seen);
  let onChange = (): void => {};
  const taken = `another node has the name ${JSON.stringify(self.name)}`;
  const verdicts = new Map<string, Liveness>();
  /** Addresses of all nodes; undefined when they may be others now. */
  let known: Set<Address> | undefined;
  /** Largest packet that all other nodes take, bytes; undefined when it may be another now. */
  let leastTaken: number | undefined;

  const member = membership(ports, {
    shared: ports.shared,
    self,
    kept: snapshot.shared,
    isRouted: (pool) => options.isRouted(pool) && options.networks.every(({ pools }) => !pools.includes(pool)),
    onChange: ({ nodes, endpoints }) => {
      known = undefined;
      if (nodes.size > 0) leastTaken = undefined;
      others.mark(nodes);
      stretched.mark(endpoints);
      stretched.markNodes(nodes);
      onChange();
    },
  });
  const { view } = member;
  const isOther = ({ name }: NodeRecord) => name !== self.name;
  const probes = prober({
    peers: () => [...view.nodes.values()].filter(isOther),
    own: () => record.addresses,
    everyMs: config.probe.everyMs,
    clockUs,
  });
  /** The same by the ways of pods' packets: to the addresses that the nodes have among pods. */
  const byWay = prober({
    peers: () => [...view.nodes.values()].filter(isOther).map((peer) => ({ ...peer, addresses: peer.tunnelAddresses })),
    own: () => record.tunnelAddresses,
    everyMs: config.probe.everyMs * SELDOMER,
    clockUs,
  });
  const signsOf = ({ name, uid }: NodeRecord) => ({
    heardOf: view.alive.get(name) === uid,
    lostInARow: probes.report(name)?.lostInARow ?? 0,
    machineAnswers: probes.machineAnswers(name),
  });
  const others = peers({
    kernel,
    view,
    ways: config,
    keys,
    own: () => record,
    answering: isEncrypted(config) && config.egress.length > 0,
    livenessOf: (peer) => {
      const signs = signsOf(peer);
      const verdict = livenessOf(signs, config.probe);
      // That a node is there when it is heard of first is no news.
      if ((verdicts.get(peer.name) ?? "alive") !== verdict)
        log({ event: "peer", peer: peer.name, liveness: verdict, ...signs });
      verdicts.set(peer.name, verdict);
      return verdict;
    },
  });
  others.markAll();
  member.say(record);

  let onTaken = (_taken: number): void => {};
  const gate = gateway({
    self: { node: self.name, uid: self.uid },
    shared: ports.shared,
    kernel,
    egress: config.egress,
    linkOf: ({ link = seen.uplink }) => (link !== undefined && seen.links.includes(link) ? link : undefined),
    log,
    clockUs,
    nowMs: ports.nowMs,
    onChange: (taken) => {
      if (taken !== undefined) onTaken(taken);
      onChange();
    },
  });
  member.listen(gate);
  await gate.begin();
  const leaving = egressWays({
    kernel,
    view,
    ways: config,
    egress: config.egress,
    gateway: gate,
    peers: others,
    own: () => record,
    pathMtu: () => seen.pathMtu,
    keys,
  });

  const segmentMtu = ({ pathMtu }: NodeFacts): number => {
    leastTaken ??= [...view.nodes.values()]
      .filter(isOther)
      .reduce((least, { mtuBytes = least }) => Math.min(least, mtuBytes), Infinity);
    return Math.min(pathMtu, leastTaken) - largestOverhead(record, { way: "vxlan", encrypt: isEncrypted(config) });
  };
  /** That of the segments' devices. */
  let segmentsHave = segmentMtu(seen);
  const stretched = segments({
    kernel,
    networks: options.networks,
    scopeOf: options.scopeOf,
    view,
    ways: config,
    peers: others.all,
    own: () => record,
    mtu: () => segmentMtu(seen),
  });
  stretched.markAll();
  const telling = stations({
    self: { node: self.name, uid: self.uid },
    shared: ports.shared,
    view,
    own: stretched.own,
    log,
    clockMs: () => clockUs() / 1_000,
    graceMs: config.graceSeconds * 1_000,
  });
  member.listen(telling);

  const path = slowGrowth(seen.pathMtu, HEARD_MS, () => clockUs() / 1_000);
  /** As of the last round of questions, bytes. */
  let podPath = path.size;

  const refresh = (node: NodeFacts): void => {
    seen = node;
    path.seen(node.pathMtu);
    record = recordFor(node);
    member.say(record);
    others.markAll();
    stretched.markAll();
  };

  /** Whom the round has shown to be more, or less, alive than was believed. */
  const judge = (asked: readonly string[]): void => {
    const changed = asked.filter((name) => {
      const peer = view.nodes.get(name);
      return peer !== undefined && livenessOf(signsOf(peer), config.probe) !== verdicts.get(name);
    });
    others.mark(changed);
    stretched.markNodes(changed);
    if (changed.length > 0 || path.size !== podPath) onChange();
    podPath = path.size;
  };

  return {
    self,
    view,
    peers: others.all,
    get record() {
      return record;
    },
    get connected() {
      return member.connected;
    },
    get away() {
      return member.away;
    },
    get informed() {
      return member.informed && others.settled;
    },
    get areSegmentsKnown() {
      return stretched.isKnown;
    },
    get trouble() {
      return member.nameHolder === undefined
        ? undefined
        : `${taken} (uid ${member.nameHolder}); give one of them another name`;
    },
    isTrouble: (sentence) => sentence.startsWith(taken),
    listen: member.listen,
    podMtu: () => path.size - largestOverhead(record, config),
    segmentMtu,
    async tell(now) {
      if (stretched.stations(now)) onChange();
      if (options.networks.length > 0) await telling.tend();
    },
    probesOf: probes.report,
    unansweredByWay(peer) {
      const [direct, way] = [probes.report(peer), byWay.report(peer)].map((report) => report?.lostInARow ?? 0);
      return direct === 0 && (way ?? 0) >= SILENT ? (way ?? 0) : 0;
    },
    refresh,
    own(addresses) {
      among = addresses;
      refresh(seen);
      onChange();
    },
    async settle() {
      const segmentsNeed = segmentMtu(seen);
      if (segmentsNeed !== segmentsHave) stretched.markAll();
      segmentsHave = segmentsNeed;
      const ops: Op[] = [];
      let failure: unknown;
      for (const each of [others, leaving, stretched]) {
        try {
          ops.push(...(await each.settle()));
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
      return ops;
    },
    facts: () => [...others.facts(), ...leaving.facts(), ...stretched.facts()],
    segmentFacts: stretched.facts,
    isUnderlay: others.isUnderlay,
    egress: leaving.states,
    async run(changed, signal, taken = () => {}) {
      onChange = changed;
      onTaken = taken;
      await using echo = await ports.echo({
        port: config.probe.port,
        uid: self.uid,
        isKnown: (from) => {
          known ??= new Set([...view.nodes.values()].flatMap((each) => [...each.addresses, ...each.tunnelAddresses]));
          return known.has(from);
        },
        onAnswer: (nonce) => {
          probes.heard(nonce);
          byWay.heard(nonce);
        },
        onRefusal: probes.refused,
      });
      const onOwnKeys = () => {
        refresh(seen);
        onChange();
      };
      const onPeersKeys = (names: readonly string[]) => {
        others.mark(names);
        onChange();
      };
      await Promise.all([
        member.run(signal),
        probes.run(echo, judge, signal),
        byWay.run(echo, () => {}, signal),
        keys.run(onOwnKeys, onPeersKeys, signal),
        ...(config.egress.length === 0 ? [] : [watchOver(gate, signal)]),
      ]);
    },
  };
}

/** By then all other nodes have heard of what this one says of itself, and follow it. */
const HEARD_MS = 2_000;

/** Questions by the ways of pods' packets are for people, and need not be as many as the others. */
const SELDOMER = 3;
/** So many without an answer are no chance. */
const SILENT = 3;
