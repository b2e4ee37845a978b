/** What a pool is. Parsing of the CNI `ipam` block and of the daemon's configuration both end here. */
import type { Address, Family, Prefix } from "#lib/address.ts";

export interface Range {
  /** Network with host bits zero. */
  readonly subnet: Prefix;
  /** First and last address that may be handed out. */
  readonly first: Address;
  readonly last: Address;
  /** Never handed out, whether or not it lies between first and last. */
  readonly gateway?: Address;
}

/**
 * Several sets of ranges: one attachment gets one address of each set (so a dual-stack pool has two sets), and the
 * ranges within a set are tried in turn. This is host-local's `ranges` with a name.
 */
export interface Pool {
  readonly name: string;
  readonly sets: readonly (readonly Range[])[];
  /** Addresses and prefixes inside the ranges that are never handed out unless asked for by name. */
  readonly exclude: readonly Prefix[];
  /** Prefix length of the blocks that nodes share it by: then only what is in a `Share` is handed out. Absent: all of it is this node's. */
  readonly blocks?: Readonly<Record<Family, number>>;
}
