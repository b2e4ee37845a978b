/** What follows from the configuration for tenants: whose pool is whose, who reaches whom, which addresses routers have. */
import type { Prefix } from "#lib/address.ts";
import type { Config } from "#lib/config/config.ts";
import type { Network } from "#lib/config/network.ts";
import type { Tenant } from "#lib/config/tenant.ts";
import type { PeerSide } from "#lib/datapath/peering.ts";
import { type Transfer, transfers } from "#lib/datapath/transfer.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Ipam } from "#lib/ipam/ipam.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import type { Core } from "./core.ts";
import { NODE } from "./host.ts";

/** Names of the hosts on which a pool's addresses are routed. */
function hostsOfPool({ tenants, networks, poolRules, defaultPool }: Config, pool: string): Set<string> {
  if (tenants.size === 0) return new Set([NODE]);
  const users = [
    ...[...networks.values()].filter((each) => each.pools.includes(pool)),
    ...poolRules.filter((rule) => rule.pool === pool).flatMap((rule) => networks.get(rule.network ?? "") ?? []),
  ];
  const hosts = new Set(users.map(({ tenant }) => tenant ?? NODE));
  // Nobody names it, or everybody who names none: whoever asks for it is on the node itself.
  return hosts.size === 0 || pool === defaultPool ? hosts.add(NODE) : hosts;
}

/** Pools that may have the same addresses: no host knows both. */
export const areApart =
  (config: Config) =>
  (one: string, other: string): boolean =>
    hostsOfPool(config, one).isDisjointFrom(hostsOfPool(config, other));

/** Subnets of the pools whose addresses are routed on a host. */
export const subnetsOn = ({ config, ipam }: { config: Config; ipam: Ipam }, host: string): Prefix[] =>
  ipam.subnets((pool) => hostsOfPool(config, pool).has(host));

/** Tenants that both ask for each other, of one of the two. */
export const peersOf = ({ tenants }: Config, { name, peers }: Tenant): string[] =>
  peers.filter((peer) => tenants.get(peer)?.peers.includes(name)).toSorted();

export const sideOf = (of: { config: Config; ipam: Ipam }, tenant: string): PeerSide => ({
  tenant,
  networks: subnetsOn(of, tenant),
});

/**
 * A pool may be chosen by a rule, an annotation or a configuration list; only one of the same host keeps its addresses
 * from meeting others.
 * @throws SelvedgeError config-invalid
 */
export function refuseStrangers(config: Config, pool: string | Pool, tenant: string | undefined): void {
  if (typeof pool !== "string") {
    if (tenant === undefined) return;
    throw wrong(
      "ipam.ranges",
      `a network of tenant ${JSON.stringify(tenant)} has addresses of a pool of the daemon's only`,
    );
  }
  const hostsOf = (name: string) => hostsOfPool(config, name);
  if (hostsOf(pool).has(tenant ?? NODE)) return;
  const whose = tenant === undefined ? "networks without a tenant" : `networks of tenant ${JSON.stringify(tenant)}`;
  const own = config.pools.map(({ name }) => name).filter((name) => hostsOf(name).has(tenant ?? NODE));
  throw wrong("pool", `${JSON.stringify(pool)} does not serve ${whose}; pools that do: ${own.join(", ") || "none"}`);
}

const wrong = (field: string, text: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, `${field}: ${text}`);

export const networksOf = ({ networks }: Config, tenant: string): Network[] =>
  [...networks.values()].filter((network) => network.tenant === tenant);

/**
 * The addresses of a tenant's uplink; also of one that is no longer configured while its router is open.
 * @throws SelvedgeError config-invalid: more tenants than the range has room for
 */
export function transferOf({ config, hosts }: Pick<Core, "config" | "hosts">, tenant: string): Transfer {
  const tenants = new Set([...config.tenants.keys(), ...hosts.keys()].filter((name) => name !== NODE));
  return transfers([...tenants], config.routers.transferRanges).get(tenant) ?? [];
}
