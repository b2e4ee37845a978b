/** What a run of the throughput benchmark finds out: one value, which is written as JSON and printed as a table. */
import type { Machine } from "../machine.ts";
import type { Summary } from "../statistics.ts";
import type { Way } from "./ways.ts";

export interface Row {
  readonly way: Way;
  /** Who has joined the pods. */
  readonly name: string;
  /** In a second, one stream of TCP. */
  readonly gigabits: Summary;
  /** Microseconds. */
  readonly roundTripUs: Summary;
}

export interface Measured {
  readonly machine: Machine;
  readonly rows: readonly Row[];
}
