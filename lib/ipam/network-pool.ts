/**
 * Where a network's addresses come from: its `ipam` block with host-local's names, and the runtime's `ipRanges`.
 *
 * Ranges that come with a network are a pool named for it, `net:<network>`. When the same network comes with other
 * ranges, the pool takes that shape: leases of the earlier ranges stay, and no address is given twice. Pools of
 * different networks are strangers to each other, as they are in host-local.
 */
import type { PodRoute } from "#lib/attach/kind.ts";
import { type Found, fields, optional, refuse, text } from "#lib/parse.ts";
import type { Pool } from "./pool.ts";
import { disjoint, readFlat, readSets } from "./ranges.ts";
import { excluded, readExclude } from "./read-pool.ts";
import { readRoutes } from "./routes.ts";

export interface NetworkIpam {
  /** A pool of the daemon by name, or one that came with the network; absent when the configuration says neither. */
  readonly pool?: string | Pool;
  readonly routes: readonly PodRoute[];
}

/**
 * @param block the `ipam` block; `dataDir` and `resolvConf` are host-local's own business and are passed over
 * @param ipRanges `runtimeConfig.ipRanges`: sets in front of the configured ones
 * @throws SelvedgeError config-invalid
 */
export function readNetworkIpam(network: string, block?: Found, ipRanges?: Found): NetworkIpam {
  const ipam = block ?? { path: "ipam", value: undefined };
  const at = fields(ipam);
  const routes = readRoutes(at("routes"));
  const name = optional(at("pool"), (given) => text(given));
  const exclude = readExclude(at("exclude"));
  // host-local's order: what the runtime asks for comes first.
  const given = ipRanges === undefined ? [] : readSets(ipRanges);
  const sets = disjoint([...given, ...readFlat(ipam), ...readSets(at("ranges"))]);
  if (name !== undefined && sets.length > 0) refuse(at("pool"), "possible together with ranges: give one of the two");
  if (sets.length > 0)
    return {
      pool: { name: `net:${network}`, sets, exclude: excluded(exclude, sets.flat(), at("exclude").path) },
      routes,
    };
  if (exclude.length > 0) refuse(at("exclude"), "possible without ranges: a pool of the daemon has its own exclusions");
  return name === undefined ? { routes } : { pool: name, routes };
}
