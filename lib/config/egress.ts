/** Addresses by which chosen pods leave the cluster, as the configuration has them. */
import type { Address } from "#lib/address.ts";
import type { PoolRule } from "./pools.ts";

/** Addresses by which chosen pods leave the cluster. */
export interface EgressAddresses {
  readonly name: string;
  /** At most one of each family. */
  readonly addresses: readonly Address[];
  /** Of these pods; at least one rule. */
  readonly pods: readonly (Omit<PoolRule, "pool"> & { readonly tenant?: string })[];
  /** Who may hold them, with `*` for any letters, the preferred first. */
  readonly nodes: readonly string[];
  /** Absent: that of the default route. */
  readonly link?: string;
  readonly holdSeconds: number;
  readonly vni: number;
}
