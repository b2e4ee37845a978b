/** Addresses from our own IPAM: which pool, which addresses, and what of it must be stored. */
import type { Mac } from "#lib/address.ts";
import type { PodAddress, PodRoute } from "#lib/attach/kind.ts";
import type { NetConf } from "#lib/cni/types.ts";
import { readNetworkIpam } from "#lib/ipam/network-pool.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { absent, fields } from "#lib/parse.ts";
import type { AttachmentKey, Change } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { ownerOf } from "./owner.ts";
import { meansPod } from "./pod-rule.ts";
import type { Settings } from "./settings.ts";
import { refuseStrangers } from "./tenancy.ts";

export interface Acquired {
  readonly given: {
    readonly addresses: readonly PodAddress[];
    readonly routes?: readonly PodRoute[];
    /** That of its reservation. */
    readonly mac?: Mac;
  };
  /** To be committed together with the attachment. */
  readonly changes: readonly Change[];
}

/** @throws SelvedgeError pool-exhausted, address-unavailable, config-invalid, conflict */
export async function acquire(
  core: Core,
  { containerId, ifname }: AttachmentKey,
  conf: NetConf,
  settings: Settings,
): Promise<Acquired> {
  const { pool, routes } = sourceOf(core, conf, settings);
  refuseStrangers(core.config, pool, settings.tenant);
  const owner = ownerOf(core, conf, pool);
  const { leases, addresses, mac, ended, pools } = await (core.blocks ?? core.ipam).allocate({
    key: { containerId, ifname },
    pool,
    requested: conf.wishes.ips,
    ...owner,
    ...(conf.wishes.mac === undefined ? {} : { mac: conf.wishes.mac }),
  });
  return {
    given: { addresses, ...(routes === undefined ? {} : { routes }), ...(mac === undefined ? {} : { mac }) },
    changes: [
      ...pools.map((value): Change => ({ put: "pool", value })),
      ...leases.map((value): Change => ({ put: "lease", value })),
      ...ended.map((c): Change => ({ remove: "coolDown", pool: c.pool, address: c.address })),
    ],
  };
}

/** The pool that an ADD of this configuration draws from. @throws SelvedgeError config-invalid */
export const poolOf = (core: Core, conf: NetConf, settings: Settings): string | Pool =>
  sourceOf(core, conf, settings).pool;

/** The nearer to the pod, the stronger: its annotation, the daemon's rules, the configuration list, the network. */
function sourceOf(
  { config }: Core,
  conf: NetConf,
  settings: Settings,
): { pool: string | Pool; routes: readonly PodRoute[] | undefined } {
  const { pool, routes } = readNetworkIpam(conf.name, conf.ipam, conf.wishes.ipRanges);
  const said = conf.ipam !== undefined && !absent(fields(conf.ipam)("routes"));
  // A rule for any network means the pod's own: further planes are other networks, with pools of theirs.
  const rule = config.poolRules.find(
    (each) =>
      (each.network === undefined ? conf.further !== true : each.network === conf.network) && meansPod(each, conf),
  );
  return { pool: conf.wishes.pool ?? rule?.pool ?? pool ?? settings.pool, routes: said ? routes : undefined };
}
