/** What follows from the configuration for tenants: whose pool is whose, who reaches whom, which addresses routers have. */
import type { Prefix } from "#lib/address.ts";
import type { Config, Network, Tenant } from "#lib/config/config.ts";
import type { PeerSide } from "#lib/datapath/peering.ts";
import { type Transfer, transfers } from "#lib/datapath/transfer.ts";
import type { Ipam } from "#lib/ipam/ipam.ts";
import type { Core } from "./core.ts";
import { NODE } from "./host.ts";

/** Names of the hosts on which a pool's addresses are routed. */
export function hostsOfPool({ networks, defaultPool }: Config, pool: string): Set<string> {
  const hosts = new Set(
    [...networks.values()].filter((each) => each.pool === pool).map(({ tenant }) => tenant ?? NODE),
  );
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
