/** What a run of the scale benchmark finds out: one value, which is written as JSON and printed as tables. */
import type { Memory } from "../daemon.ts";
import type { Machine } from "../machine.ts";
import type { Summary } from "../statistics.ts";
import type { Changes, Cold } from "./pure.ts";
import type { Traffic } from "./wiretap.ts";

/** The real daemon among nodes that are there on paper. Milliseconds. */
export interface Real {
  readonly nodes: number;
  readonly start: {
    /** From the start of the process until the kernel has all of it. */
    readonly whole: number;
    /** Of those, in the passes that made it. */
    readonly programming: number;
    /** Links, forwarding entries, neighbours, routes and elements of sets that were made. */
    readonly operations: number;
    readonly cpu: number;
    readonly traffic: Traffic;
    readonly memory: Memory;
  };
  /** For so long nothing happens but probes. */
  readonly idle: { readonly forMs: number; readonly cpu: number; readonly traffic: Traffic };
  /** A node joins: until its pods are reached; traffic of one. */
  readonly join: Step;
  /** A pod with a fixed address moves: until it is reached. */
  readonly move: Step;
  /** Every node ends and comes back, many at a time. */
  readonly rolling: { readonly nodes: number; readonly took: number; readonly cpu: number; readonly traffic: Traffic };
  readonly memory: Memory;
}

export interface Step {
  readonly until: Summary;
  /** Of the daemon for one. */
  readonly cpu: number;
  /** Of one. */
  readonly traffic: Traffic;
}

export interface Scale {
  readonly machine: Machine;
  /** The smaller cluster first. */
  readonly cold: readonly Cold[];
  readonly changes: readonly Changes[];
  readonly real: Real;
}
