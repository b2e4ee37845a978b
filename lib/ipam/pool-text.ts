/** A pool as it is stored: JSON, spelled like a pool of the daemon's configuration and read by the same reader. */
import { SelvedgeError } from "#lib/errors.ts";
import { root } from "#lib/parse.ts";
import type { PoolRecord } from "#lib/state/lease.ts";
import type { Pool, Range } from "./pool.ts";
import { readPool } from "./read-pool.ts";

export const poolText = ({ sets, exclude }: Pool): string =>
  JSON.stringify({ ranges: sets.map((set) => set.map(rangeText)), exclude });

const rangeText = ({ subnet, first, last, gateway }: Range) => ({ subnet, rangeStart: first, rangeEnd: last, gateway });

/** @throws SelvedgeError store */
export function readPoolText({ name, pool }: PoolRecord): Pool {
  try {
    return readPool(name, root(JSON.parse(pool)));
  } catch (cause) {
    throw new SelvedgeError({ kind: "store" }, `the stored pool ${name} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
