/**
 * Where pods' packets are routed: the node itself, and for each tenant a namespace of its own on the node. The same
 * machinery works on every host: `at: "host"` in a fact means the host whose kernel it is given to.
 */
import type { Transfer } from "#lib/datapath/transfer.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { Router } from "#lib/kernel/routers.ts";
import { type Gate, gate, type KeyedLock, keyedLock } from "#lib/lock.ts";
import type { Log } from "#lib/log.ts";
import { type Connections, connections } from "./connections.ts";

export interface Host {
  /** The tenant whose router it is; `NODE` for the node itself. */
  readonly name: string;
  readonly kernel: Kernel;
  /** Absent for the node itself. */
  readonly router?: Router;
  /** A router's: the addresses of its uplink, as long as it is open. */
  readonly transfer?: Transfer;
  /** Aborted when the host is taken away while the daemon runs on. */
  readonly closing: AbortController;
  readonly connections: Connections;
  /** ADDs build together; what idles is removed when none does. */
  readonly building: Gate;
  /** What is the host's own is made by one at a time. */
  readonly making: KeyedLock;
  /** What the host's tables are made for. Absent: not known, or others are being made. See `makeReady`. */
  tablesFor: string | undefined;
  /** Whether anything attached to it has, or had, a code point or a priority. Absent: not known. */
  isMarking: boolean | undefined;
  /** A router's: whether its links to the node and to its peers have been made. */
  isJoined: boolean;
  /** A router's: when it was last wanted, microseconds on the monotonic clock. */
  usedUs: number;
}

/** No tenant has this name. */
export const NODE = "";

export const host = (of: Pick<Host, "name" | "kernel" | "router" | "transfer">, log: Log, nowUs = 0): Host => ({
  ...of,
  closing: new AbortController(),
  connections: connections(of, log),
  building: gate(),
  making: keyedLock(),
  tablesFor: undefined,
  isMarking: undefined,
  isJoined: false,
  usedUs: nowUs,
});
