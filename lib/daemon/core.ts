/**
 * What every verb works on: the edges as ports, and the node's state in memory. One core for each daemon; nothing here
 * decides anything.
 */
import type { Queue } from "#lib/api/queue.ts";
import type { Config } from "#lib/config/config.ts";
import type { Delegate } from "#lib/delegate/delegate.ts";
import type { Ipam } from "#lib/ipam/ipam.ts";
import type { Kernel, NodeFacts } from "#lib/kernel/kernel.ts";
import type { Log } from "#lib/log.ts";
import type { Change, Store } from "#lib/store/store.ts";
import type { Table } from "./table.ts";
import type { Traces } from "./trace.ts";

/** The outside world, named only by cmd/. */
export interface Ports {
  readonly kernel: Kernel;
  readonly store: Store;
  readonly delegate: Delegate;
  readonly queue: Queue;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
}

export interface Core extends Ports {
  readonly config: Config;
  readonly ipam: Ipam;
  readonly table: Table;
  readonly traces: Traces;
  /** Inode of the namespace that the daemon itself is in. */
  readonly ownNetnsInode: number;
  /** Facts of the machine, refreshed by every full reconcile. */
  node: NodeFacts;
  /** The destinations that the node's tables were last made for; see `makeNodeReady`. */
  tablesFor: string;
  /** Changes that the store refused after the kernel had already been changed; the reconcile loop tries again. */
  readonly unsaved: Change[];
  /** Why ADD cannot be served now, one sentence each; empty when it can. */
  readonly waitingFor: Set<string>;
}
