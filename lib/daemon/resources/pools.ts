/** Pools of the configuration as addresses are given out of them. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "#lib/config/config.ts";
import type { Resource } from "#lib/config/resources.ts";
import { isFailure } from "#lib/errors.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { readPool, readPools } from "#lib/ipam/read-pool.ts";
import { fields, root } from "#lib/parse.ts";
import { poolHosts } from "../tenancy.ts";

/** @param isShared nodes take blocks of them @throws SelvedgeError config-invalid */
export const poolsOf = (config: Config, isShared: boolean): Pool[] =>
  readPools(
    root(
      config.pools.map(({ ranges, blockSize, ...pool }) => ({
        ...pool,
        ranges: ranges.value,
        ...(isShared ? { blocks: blockSize } : {}),
      })),
      "pools",
    ),
    poolHosts(config),
  );

/** What has not changed stays the same object: what follows from it is known by that. */
export function withKnown(pools: readonly Pool[], known: readonly Pool[]): Pool[] {
  const named = new Map(known.map((pool) => [pool.name, pool]));
  return pools.map((pool) => {
    const earlier = named.get(pool.name);
    return earlier !== undefined && isDeepStrictEqual(earlier, pool) ? earlier : pool;
  });
}

/** What is wrong with a pool by itself. */
export function mistakeIn({ kind, name, spec }: Resource): string | undefined {
  if (kind !== "AddressPool") return undefined;
  try {
    const at = fields(root(spec, "spec"));
    readPool(name, root({ ranges: at("ranges").value, exclude: at("exclude").value }, "spec"));
    return undefined;
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    return error.message;
  }
}
