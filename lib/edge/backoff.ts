/** When a router is asked again after it failed. */
import { partOf } from "#lib/backoff.ts";

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** Twice as long after each failure in a row, from a second to a minute. */
export const backoffMs = (failures: number, random: () => number): number =>
  Math.round(partOf(Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)), random));

/** Failures in a row after which nobody waits for the router any more: it is asked for its version now and then (a circuit breaker). */
export const OPEN_AFTER = 5;
