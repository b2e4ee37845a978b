/** Who holds which address: shared by the decision (lib/ipam) and by the durable state (lib/store). */
import type { Address, Mac, Prefix } from "#lib/address.ts";

/** CNI's own key of an attachment: container id and interface name. Never the pod's name. */
export interface AttachmentKey {
  readonly containerId: string;
  readonly ifname: string;
}

export interface Lease extends AttachmentKey {
  readonly pool: string;
  readonly address: Address;
  /** namespace/name of the pod when the request told it, or the name that it took its reservation by. */
  readonly pod?: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

/**
 * An address that was released and must not be used again before `untilMs` (milliseconds since the epoch). It is kept
 * beyond that, until the address is leased again: the oldest release is the first to be reused.
 */
export interface CoolDown {
  readonly pool: string;
  readonly address: Address;
  /** Who had it: the same pod may ask for its own address again at once. */
  readonly pod?: string;
  readonly releasedMs: number;
  readonly untilMs: number;
}

/** A pool that came with a network configuration instead of the daemon's own; kept so that leases outlive a restart. */
export interface PoolRecord {
  readonly name: string;
  /** A `Pool` of lib/ipam as JSON; the store does not look inside. */
  readonly pool: string;
}

/**
 * `declared`: written in the daemon's configuration, which alone can change it. `operator`: made by hand. `kept`: made
 * by the first ADD of a name whose address is to be kept.
 */
export type Origin = "declared" | "operator" | "kept";

/** Addresses of a pool that are kept for a name while nothing runs. A name has at most one in a pool. */
export interface Reservation {
  readonly pool: string;
  /** `namespace/pod`, or any name that an attachment can say it goes by (`vm:db`). */
  readonly name: string;
  /** At most one of each set of the pool; of other sets the name gets what is free. */
  readonly addresses: readonly Address[];
  /** The pod's MAC; absent: as without a reservation. */
  readonly mac?: Mac;
  readonly origin: Origin;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Its pool is one that nodes share, and the others have not been told of it yet. */
  readonly unshared?: true;
}

/**
 * What this node alone may give of a pool that nodes share: a block, an address that another node lends, or (with
 * `name`) an address that is fixed. It is durable before it is used, and durably forgotten before another node may have
 * it; so whatever is under way between the nodes, an address that is in a share is nobody else's.
 */
export interface Share {
  readonly pool: string;
  readonly prefix: Prefix;
  /** Addresses of it that are not this node's to give: lent, or fixed. */
  readonly without: readonly Address[];
  /** For this name alone. */
  readonly name?: string;
}
