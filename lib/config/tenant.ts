/** Tenants and their routers, as the configuration has them. */
import type { Address, Prefix } from "#lib/address.ts";

/** Networks with addresses of their own, behind a router of their own on the node. */
export interface Tenant {
  readonly name: string;
  readonly egress: boolean;
  /** Of `tenants`; those that name this one too are reached. */
  readonly peers: readonly string[];
  readonly services: readonly TenantService[];
  /** It has been deleted, and serves those that are on its networks. */
  readonly isLeaving?: true;
}

/** An address of the tenant's that leads to a server on the node's network. */
export interface TenantService {
  readonly name: string;
  readonly address: Address;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly to: { readonly address: Address; readonly port: number };
}

export interface Routers {
  readonly dir: string;
  readonly transferRanges: readonly Prefix[];
  readonly probeRanges: readonly Prefix[];
}
