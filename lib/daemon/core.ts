/**
 * What every verb works on: the edges as ports, and the node's state in memory. One core for each daemon; nothing here
 * decides anything.
 */
import type { Queue } from "#lib/api/queue.ts";
import type { NodeId } from "#lib/cluster/records.ts";
import type { Config } from "#lib/config/config.ts";
import type { Delegate } from "#lib/delegate/delegate.ts";
import type { OpenEcho } from "#lib/echo/echo.ts";
import type { AskWhole } from "#lib/echo/whole.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Speaker } from "#lib/frr/speaker.ts";
import { type Ipam, ipam } from "#lib/ipam/ipam.ts";
import type { NodeObject } from "#lib/k8s/node-object.ts";
import type { ObjectSource } from "#lib/k8s/objects.ts";
import type { Kernel, NodeFacts } from "#lib/kernel/kernel.ts";
import type { Routers } from "#lib/kernel/routers.ts";
import { type KeyedLock, keyedLock } from "#lib/lock.ts";
import type { Log } from "#lib/log.ts";
import type { Shared } from "#lib/store/shared.ts";
import type { Reservation, Store } from "#lib/store/store.ts";
import { type Blocks, type BlocksOptions, blocks } from "./blocks/blocks.ts";
import { type Cluster, type ClusterOptions, type ClusterPorts, openCluster } from "./cluster/cluster.ts";
import type { KeyFiles } from "./cluster/keyring.ts";
import { contested } from "./contested.ts";
import type { OpenRouter } from "./edge/driven.ts";
import { type Edge, openEdge } from "./edge/edge.ts";
import { type Host, host, NODE } from "./host.ts";
import { scopeOfRouter } from "./joints.ts";
import type { Kubernetes } from "./kubernetes/kubernetes.ts";
import { followConfiguration } from "./leaving.ts";
import type { Policies } from "./policy/policies.ts";
import { poolsOf } from "./resources/pools.ts";
import { beginning, openResources, type Resources } from "./resources/resources.ts";
import { findRouters } from "./routers.ts";
import { stretchedOf } from "./segment-bridge.ts";
import { type Table, table } from "./table.ts";
import { routedOn } from "./tenancy.ts";
import { type Step, type Traces, traces } from "./trace.ts";

/** The outside world, named only by cmd/. */
export interface Ports {
  readonly kernel: Kernel;
  readonly routers: Routers;
  readonly store: Store;
  /** What the nodes of a cluster share; absent: the node is alone. */
  readonly shared?: Shared;
  readonly echo: OpenEcho;
  readonly askWhole: AskWhole;
  /** Private halves of WireGuard keys; absent: the node has no WireGuard. */
  readonly keyFiles?: KeyFiles;
  /** Absent: the node has nothing to do with routers at the edge. */
  readonly openRouter?: OpenRouter;
  /** FRR on the node; absent: nothing of the node's speaks BGP, now or ever. */
  readonly speaker?: Speaker;
  /** Where policies, namespaces and pods are told of; absent: nobody speaks of them. */
  readonly objects?: ObjectSource;
  /** The node in Kubernetes; absent: nobody there is told of it. */
  readonly nodeObject?: NodeObject;
  readonly delegate: Delegate;
  readonly queue: Queue;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
}

export interface Core extends Ports {
  /** Replaced as a whole where Kubernetes has a part in it. */
  config: Config;
  readonly ipam: Ipam;
  readonly table: Table;
  readonly traces: Traces;
  /** Work on one container is sequential. */
  readonly lock: KeyedLock;
  /** By name: the node itself under `NODE`, and every tenant's router that is open. */
  readonly hosts: Map<string, Host>;
  /** Told of every router that is opened from now on; set by whoever watches hosts. */
  onHost: (host: Host) => void;
  /** Absent where the node is alone. */
  readonly cluster?: Cluster;
  /** Addresses of the pools that its nodes share. */
  readonly blocks?: Blocks;
  /** Absent where no routers are configured. */
  edge?: Edge;
  /** Absent where no policies are configured. */
  policies?: Policies;
  /** Absent where no source of objects is configured. */
  kubernetes?: Kubernetes;
  /** Absent where Kubernetes has no part in the configuration. */
  resources?: Resources;
  /** Inode of the namespace that the daemon itself is in. */
  readonly ownNetnsInode: number;
  /** Facts of the machine, refreshed by every full reconcile. */
  node: NodeFacts;
  /** Work that nobody waits for, except the daemon's end. Reports its own failures. */
  readonly behind: Set<Promise<void>>;
  /** Why ADD cannot be served now, one sentence each; empty when it can. */
  readonly waitingFor: Set<string>;
}

export interface CoreOptions {
  readonly config: Config;
  /** Of the file that the configuration is of. */
  readonly configText?: string;
  /** Of the daemon. */
  readonly version: string;
  readonly ownNetnsInode: number;
  /** Told of every step of every verb as it ends. */
  readonly onStep?: (step: Step) => void;
}

/** How many ADDs and DELs keep their timings for `selvedgectl trace`. */
const TRACES = 2_048;

/**
 * The node's state as the store has it, and the names of queue entries that were carried out already.
 * @throws SelvedgeError store, kernel, config-invalid
 */
export async function openCore(
  ports: Ports,
  { config: ofFile, configText = "", version, ownNetnsInode, onStep = () => {} }: CoreOptions,
): Promise<{ core: Core; replayed: Set<string> }> {
  const snapshot = await ports.store.load();
  const begun = beginning(ofFile, configText, snapshot.own);
  const config = begun?.config ?? ofFile;
  const node = await ports.kernel.facts();
  const isShared = ports.shared !== undefined && config.cluster !== undefined;
  const pools = poolsOf(config, isShared);
  const coolDownMs = config.ipam.coolDownSeconds * 1_000;
  const own = ipam({
    pools,
    reservations: config.reservations,
    coolDownMs,
    nowMs: ports.nowMs,
    clockUs: ports.clockUs,
  });
  const hosts = new Map([[NODE, host({ name: NODE, kernel: ports.kernel }, ports.log)]]);
  const core: Core = {
    ...ports,
    config,
    ipam: own,
    table: table(contested),
    traces: traces({ capacity: TRACES, clockUs: ports.clockUs, onStep }),
    hosts,
    onHost: () => {},
    lock: keyedLock(),
    ownNetnsInode,
    node,
    ...(ports.shared === undefined || config.cluster === undefined
      ? {}
      : await joined(
          { ...ports, shared: ports.shared },
          {
            config: config.cluster,
            node,
            snapshot,
            version,
            networks: stretchedOf(config),
            isRouted: routedOn(NODE, () => core.config),
            scopeOf: (tenant) => (hosts.has(tenant) ? scopeOfRouter({ hosts }, tenant) : undefined),
          },
          (self) => ({
            self,
            ipam: own,
            pools,
            coolDownMs,
          }),
        )),
    behind: new Set(),
    waitingFor: new Set(["it is starting"]),
  };
  await forgetDisplaced(core, core.ipam.restore(snapshot));
  for (const record of snapshot.attachments) core.table.put(record);
  await followConfiguration(core);
  findRouters(core);
  if (config.edge !== undefined && ports.openRouter !== undefined)
    core.edge = openEdge(core, config.edge, ports.openRouter, snapshot.own);
  if (begun !== undefined) core.resources = openResources(core, begun);
  return { core, replayed: new Set(snapshot.replayed) };
}

/** What the node has in a cluster besides. @throws SelvedgeError store, kernel */
async function joined(
  ports: ClusterPorts,
  options: ClusterOptions,
  sharing: (self: NodeId) => Pick<BlocksOptions, "self" | "ipam" | "pools" | "coolDownMs">,
): Promise<Required<Pick<Core, "cluster" | "blocks">>> {
  const cluster = await openCluster(ports, options);
  const { name: node, uid } = cluster.self;
  const graceMs = options.config.graceSeconds * 1_000;
  const addresses = blocks({ ...ports, ...sharing({ node, uid }), graceMs });
  cluster.listen(addresses);
  return { cluster, blocks: addresses };
}

/** @throws SelvedgeError not-ready: the tenant has no router here */
export function hostOf(core: Pick<Core, "hosts">, name: string): Host {
  const found = core.hosts.get(name);
  if (found !== undefined) return found;
  throw new SelvedgeError({ kind: "not-ready" }, `the router of tenant ${JSON.stringify(name)} is not open`, {
    hint: "`selvedgectl status` shows what the daemon waits for.",
  });
}

/** The configuration has given what they kept to another name, or declares the name itself. */
async function forgetDisplaced({ store, log }: Ports, displaced: readonly Reservation[]): Promise<void> {
  if (displaced.length === 0) return;
  await store.commit(displaced.map(({ pool, name }) => ({ remove: "reservation", pool, name })));
  for (const { pool, name, addresses } of displaced) log({ event: "reservation-displaced", pool, name, addresses });
}
