/**
 * Where pods' packets are routed: the node itself, and for each tenant a namespace of its own on the node. The same
 * machinery works on every host: `at: "host"` in a fact means the host whose kernel it is given to.
 */
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { Log } from "#lib/log.ts";
import { type Connections, connections } from "./connections.ts";

export interface Host {
  /** The tenant whose router it is; `NODE` for the node itself. */
  readonly name: string;
  readonly kernel: Kernel;
  readonly connections: Connections;
  /** The destinations that the host's tables were last made for; see `makeReady`. */
  tablesFor: string;
}

/** No tenant has this name. */
export const NODE = "";

export const host = (name: string, kernel: Kernel, log: Log): Host => ({
  name,
  kernel,
  connections: connections(kernel, log),
  tablesFor: "",
});
