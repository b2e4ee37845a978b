/** Addresses from our own IPAM: which pool, which addresses, and what of it must be stored. */
import type { PodAddress, PodRoute } from "#lib/attach/kind.ts";
import type { NetConf } from "#lib/cni/types.ts";
import { readNetworkIpam } from "#lib/ipam/network-pool.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { absent, fields } from "#lib/parse.ts";
import type { AttachmentRecord, Change } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import type { Settings } from "./settings.ts";

export interface Acquired {
  readonly given: { readonly addresses: readonly PodAddress[]; readonly routes?: readonly PodRoute[] };
  /** To be committed together with the attachment. */
  readonly changes: readonly Change[];
}

/** @throws SelvedgeError pool-exhausted, address-unavailable, config-invalid, conflict */
export function acquire(core: Core, intent: AttachmentRecord, conf: NetConf, settings: Settings): Acquired {
  const { pool, routes } = sourceOf(conf, settings);
  const { leases, addresses, ended, pools } = core.ipam.allocate({
    key: { containerId: intent.containerId, ifname: intent.ifname },
    pool,
    requested: conf.wishes.ips,
    ...(intent.pod === undefined ? {} : { pod: intent.pod }),
  });
  return {
    given: { addresses, ...(routes === undefined ? {} : { routes }) },
    changes: [
      ...pools.map((value): Change => ({ put: "pool", value })),
      ...leases.map((value): Change => ({ put: "lease", value })),
      ...ended.map((c): Change => ({ remove: "coolDown", pool: c.pool, address: c.address })),
    ],
  };
}

/** The pool that an ADD of this configuration draws from. @throws SelvedgeError config-invalid */
export const poolOf = (conf: NetConf, settings: Settings): string | Pool => sourceOf(conf, settings).pool;

/** The request's own ranges, else the pool it names, else the network's. */
function sourceOf(conf: NetConf, settings: Settings): { pool: string | Pool; routes: readonly PodRoute[] | undefined } {
  const { pool, routes } = readNetworkIpam(conf.name, conf.ipam, conf.wishes.ipRanges);
  const said = conf.ipam !== undefined && !absent(fields(conf.ipam)("routes"));
  return { pool: pool ?? settings.pool, routes: said ? routes : undefined };
}
