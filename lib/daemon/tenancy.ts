/** What follows from the configuration for tenants: whose pool is whose, who reaches whom, which addresses routers have. */
import type { Prefix } from "#lib/address.ts";
import type { Config } from "#lib/config/config.ts";
import type { Network } from "#lib/config/network.ts";
import type { Tenant } from "#lib/config/tenant.ts";
import type { PeerSide } from "#lib/datapath/peering.ts";
import type { Transfer } from "#lib/datapath/transfer.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Ipam } from "#lib/ipam/ipam.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { type Host, NODE } from "./host.ts";

/** Names of the hosts on which a pool's addresses are routed. Pools that share none may have the same addresses. */
export function poolHosts({ tenants, networks, poolRules, defaultPool }: Config): (pool: string) => Set<string> {
  if (tenants.size === 0) return () => new Set([NODE]);
  const named = new Map<string, Set<string>>();
  const use = (pool: string, host: string): void => {
    named.set(pool, (named.get(pool) ?? new Set()).add(host));
  };
  for (const { pools, tenant } of networks.values()) for (const pool of pools) use(pool, tenant ?? NODE);
  for (const { pool, network } of poolRules) {
    const ruled = networks.get(network ?? "");
    if (ruled !== undefined) use(pool, ruled.tenant ?? NODE);
  }
  // Who names none is on the node itself.
  use(defaultPool, NODE);
  return (pool) => named.get(pool) ?? new Set([NODE]);
}

/** Whether a pool's addresses are routed on a host, by the configuration of the moment. */
export function routedOn(host: string, now: () => Config): (pool: string) => boolean {
  let config: Config | undefined;
  let hostsOf: ReturnType<typeof poolHosts>;
  return (pool) => {
    if (config !== now()) {
      config = now();
      hostsOf = poolHosts(config);
    }
    return hostsOf(pool).has(host);
  };
}

/** Subnets of the pools whose addresses are routed on a host. */
export function subnetsOn({ config, ipam }: { config: Config; ipam: Ipam }, host: string): Prefix[] {
  const hostsOf = poolHosts(config);
  return ipam.subnets((pool) => hostsOf(pool).has(host));
}

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
  const hostsOf = poolHosts(config);
  if (hostsOf(pool).has(tenant ?? NODE)) return;
  const whose = tenant === undefined ? "networks without a tenant" : `networks of tenant ${JSON.stringify(tenant)}`;
  const own = config.pools.map(({ name }) => name).filter((name) => hostsOf(name).has(tenant ?? NODE));
  throw wrong("pool", `${JSON.stringify(pool)} does not serve ${whose}; pools that do: ${own.join(", ") || "none"}`);
}

const wrong = (field: string, text: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, `${field}: ${text}`);

export const networksOf = ({ networks }: Config, tenant: string): Network[] =>
  [...networks.values()].filter((network) => network.tenant === tenant);

/** The addresses of a tenant's uplink; empty where its router is not open. */
export const transferOf = ({ hosts }: { readonly hosts: ReadonlyMap<string, Host> }, tenant: string): Transfer =>
  hosts.get(tenant)?.transfer ?? [];
