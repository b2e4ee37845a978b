/** Pools, who draws from which, and what is kept in them, as the configuration has them. */
import type { Address, Family, Mac, Prefix } from "#lib/address.ts";
import type { Found } from "#lib/parse.ts";

export interface ConfiguredPool {
  readonly name: string;
  /** host-local's `ranges`, as written; lib/ipam reads it. */
  readonly ranges: Found;
  readonly exclude: readonly Prefix[];
  /** The first address of a pod that has a name is kept for that name. */
  readonly keepAddress: boolean;
  /** Prefix lengths of the blocks that the nodes of a cluster take of it. */
  readonly blockSize: Readonly<Record<Family, number>>;
  /** It has been deleted, and serves those that have addresses of it. */
  readonly isLeaving?: true;
}

/** Fits a pod when everything that it says does; `namespace` and `pod` with `*` for any letters. */
export interface PoolRule {
  /** A named network. */
  readonly network?: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** One of `pools`. */
  readonly pool: string;
}

export interface DeclaredReservation {
  readonly name: string;
  /** One of `pools`. */
  readonly pool: string;
  readonly addresses: readonly Address[];
  readonly mac?: Mac;
}
