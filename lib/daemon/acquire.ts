/** Addresses from our own IPAM: which pool, which addresses, and what of it must be stored. */
import type { Mac } from "#lib/address.ts";
import type { PodAddress, PodRoute } from "#lib/attach/kind.ts";
import type { NetConf } from "#lib/cni/types.ts";
import type { Config } from "#lib/config/config.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { readNetworkIpam } from "#lib/ipam/network-pool.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { absent, fields } from "#lib/parse.ts";
import type { AttachmentKey, Change } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { allocateInTurn } from "./in-turn.ts";
import { nameOf, ownerOf } from "./owner.ts";
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
  const { pools: from, routes } = sourceOf(core, conf, settings);
  for (const pool of from) refuseStrangers(core.config, pool, settings.tenant);
  const name = nameOf(conf);
  const wish = {
    key: { containerId, ifname },
    requested: conf.wishes.ips,
    ...(name === undefined ? {} : { pod: name }),
    ...(conf.wishes.mac === undefined ? {} : { mac: conf.wishes.mac }),
  };
  const keeps = (pool: string | Pool) => ownerOf(core, conf, pool).keep;
  const { leases, addresses, mac, ended, pools } = await allocateInTurn(core, from, wish, keeps);
  return {
    given: { addresses, ...(routes === undefined ? {} : { routes }), ...(mac === undefined ? {} : { mac }) },
    changes: [
      ...pools.map((value): Change => ({ put: "pool", value })),
      ...leases.map((value): Change => ({ put: "lease", value })),
      ...ended.map((c): Change => ({ remove: "coolDown", pool: c.pool, address: c.address })),
    ],
  };
}

/** The pools that an ADD of this configuration draws from, in order. @throws SelvedgeError config-invalid */
export const poolsOf = (core: Core, conf: NetConf, settings: Settings): readonly (string | Pool)[] =>
  sourceOf(core, conf, settings).pools;

/** The nearer to the pod, the stronger: its annotation, the daemon's rules, the configuration list, the network. */
function sourceOf(
  { config }: Core,
  conf: NetConf,
  settings: Settings,
): { pools: readonly (string | Pool)[]; routes: readonly PodRoute[] | undefined } {
  const { pool, routes } = readNetworkIpam(conf.name, conf.ipam, conf.wishes.ipRanges);
  const said = conf.ipam !== undefined && !absent(fields(conf.ipam)("routes"));
  // A rule for any network means the pod's own: further planes are other networks, with pools of theirs.
  const rule = config.poolRules.find(
    (each) =>
      (each.network === undefined ? conf.further !== true : each.network === conf.network) && meansPod(each, conf),
  );
  const one = conf.wishes.pool ?? rule?.pool ?? pool;
  return { pools: staying(config, one === undefined ? settings.pools : [one]), routes: said ? routes : undefined };
}

/** Those that still give addresses. @throws SelvedgeError config-invalid */
function staying({ pools }: Config, from: readonly (string | Pool)[]): readonly (string | Pool)[] {
  const left = from.filter((each) => !pools.some(({ name, isLeaving }) => name === each && isLeaving === true));
  if (left.length > 0) return left;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "pool" },
    `pool: ${JSON.stringify(from[0])} has been deleted, and gives no more addresses`,
    { hint: "One of its name is there again when nothing on this node has an address of the deleted one." },
  );
}
