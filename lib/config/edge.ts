/** The routers at the edge of the cluster, as the configuration has them. */
import type { Address, Prefix } from "#lib/address.ts";

export interface Edge {
  readonly routers: readonly EdgeRouter[];
  /** How long changes of the cluster are gathered before they are pushed. */
  readonly windowMs: number;
  /** How often each router is looked at though nothing has changed. */
  readonly driftSeconds: number;
  readonly onDrift: "repair" | "report";
  /** A push that takes away more than both waits for a person. */
  readonly deleteLimit: { readonly percent: number; readonly paths: number };
  readonly dryRun: boolean;
  /** 0: commits are not taken back. */
  readonly confirmMinutes: number;
}

export interface EdgeRouter {
  readonly name: string;
  readonly url: string;
  /** One of the two. */
  readonly key: { readonly file?: string; readonly environment?: string };
  readonly trust: { readonly ca?: string; readonly fingerprint?: string };
  readonly commitSeconds: number;
  /** None: those of exposed networks. */
  readonly pools: readonly string[];
  readonly static?: {
    readonly routes: "pools" | "blocks";
    readonly distance?: number;
    readonly bfd?: string | true;
    readonly vrf?: string;
  };
  readonly bgp?: {
    readonly as: number;
    readonly nodesAs: number | "external" | "internal";
    readonly listen: readonly Prefix[];
    readonly passwordFile?: string;
    readonly bfd?: string | true;
    readonly multihop?: number;
    readonly multipath: number;
    readonly maximumPrefixes?: number;
    readonly communities: readonly string[];
    readonly localPreference?: number;
    readonly defaultRoute: boolean;
    readonly vrf?: string;
  };
  readonly nat: {
    readonly firstRule: number;
    readonly masquerade: readonly { readonly interface: string; readonly pools?: readonly string[] }[];
    readonly egress: readonly { readonly source: Prefix; readonly address: Address; readonly interface: string }[];
    readonly oneToOne: readonly { readonly outside: Address; readonly inside: Address; readonly interface: string }[];
    readonly publish: readonly {
      readonly name: string;
      readonly interface: string;
      readonly address?: Address;
      readonly protocol: "tcp" | "udp";
      readonly port: number;
      readonly to: { readonly address: Address; readonly port: number };
    }[];
  };
  readonly groups: readonly {
    readonly name: string;
    readonly of: "pools" | "nodes";
    readonly pools?: readonly string[];
  }[];
  readonly loadBalancers: readonly {
    readonly name: string;
    readonly address?: Address;
    readonly port: number;
    readonly servers: readonly { readonly address: Address; readonly port: number }[];
  }[];
  readonly zones: readonly { readonly domain: string; readonly servers: readonly Address[] }[];
  readonly vrfs: readonly { readonly name: string; readonly table: number }[];
  readonly shapers: readonly {
    readonly interface: string;
    readonly rate: number;
    readonly classes: readonly { readonly dscp: number; readonly percent: number; readonly priority?: number }[];
  }[];
  readonly sites: readonly EdgeSite[];
}

/** Another cluster, behind a tunnel. */
export interface EdgeSite {
  readonly name: string;
  readonly interface: string;
  readonly addresses: readonly Prefix[];
  readonly networks: readonly Prefix[];
  readonly distance?: number;
  /** One of the two. */
  readonly wireguard?: {
    readonly keyFile: string;
    readonly port: number;
    readonly publicKey: string;
    readonly presharedKeyFile?: string;
    readonly endpoint?: { readonly address: Address; readonly port: number };
    readonly keepaliveSeconds?: number;
  };
  readonly ipsec?: { readonly local: Address; readonly remote: Address; readonly secretFile: string };
}
