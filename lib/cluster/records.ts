/** What the nodes of a cluster tell each other, and under which key of the shared store. */
import type { Address, Family, Mac, Prefix } from "#lib/address.ts";
import type { Reservation } from "#lib/state/lease.ts";

/** How packets get from one node to another. */
export type Way = "direct" | "vxlan" | "gre" | "wireguard";

/** `nodes/<name>`: written by the node itself. */
export interface NodeRecord {
  readonly name: string;
  /** Made when the node first joined: a machine that takes over the name of another is another node. */
  readonly uid: string;
  /** Its addresses on the networks between nodes, the preferred of each family first. */
  readonly addresses: readonly Address[];
  /** Largest packet that reaches it there, as far as its own links go, bytes. Nodes of before did not tell. */
  readonly mtuBytes?: number;
  /** On-link prefixes of those addresses: nodes that share one need no tunnel. */
  readonly segments: readonly Prefix[];
  /** Ways that its kernel can be the other end of. */
  readonly ways: readonly Way[];
  /** At most one of each family, out of its own blocks: who it is where its own packets travel in a tunnel to pods. */
  readonly tunnelAddresses: readonly Address[];
  /** MAC of its VXLAN device: of each node its own (datapath.md: a frame with the device's own MAC is dropped). */
  readonly tunnelMac: Mac;
  /** The newest key first; the one before stays valid while it is rotated. */
  readonly wireguard?: { readonly publicKeys: readonly string[]; readonly port: number };
  /** UDP port of the echo that peers probe. */
  readonly echoPort: number;
  /** Of the daemon. */
  readonly version: string;
}

/** `alive/<name>`: there while the node is heard of. */
export interface LivenessRecord {
  readonly uid: string;
}

/**
 * `blocks/<pool>/<prefix with - for />`: a piece of a pool and who owns it. Changed by compare-and-swap only; without an owner
 * there is no record.
 */
export interface BlockRecord {
  readonly pool: string;
  readonly prefix: Prefix;
  readonly node: string;
  readonly uid: string;
  /** Addresses of it that the owner has given up to another node, until that node gives them back. */
  readonly lent: Readonly<Record<Address, NodeId>>;
  /** Addresses of it that the owner leaves alone because they are fixed: only then may the holder of the fixed address use it. */
  readonly fixed: readonly Address[];
  /** Counts its changes: each makes a new revision in every store, and what is still under way from before comes too late. */
  readonly writes: number;
}

/** A machine that takes over the name of another is another node. */
export interface NodeId {
  readonly node: string;
  readonly uid: string;
}

/** `fixed/<pool>/<address>`: an address that is kept for a name, and the node where its pod is now, outside of all blocks. */
export interface FixedRecord {
  readonly pool: string;
  readonly address: Address;
  /** Whose address it is: the name of the reservation. */
  readonly name: string;
  /** Absent while no pod holds it. */
  readonly node?: string;
  readonly uid?: string;
  readonly mac?: Mac;
  /** As of a block. */
  readonly writes: number;
}

/** `reservations/<pool>/<name>`: a `Reservation` of lib/state; those that configurations declare are not among them. */
export type ReservationRecord = Pick<Reservation, "pool" | "name" | "addresses" | "mac" | "origin" | "sinceMs">;

/**
 * `wants/<pool>/<family>/<node>`, while the node is alive: it has no address left, or fewer than pods wait, and every block
 * is owned.
 */
export interface WantRecord extends NodeId {
  readonly pool: string;
  readonly family: Family;
  /** Grows for as long as nobody lends: more and more of the owners feel addressed. */
  readonly round: number;
  /** No pod waits: it is for the next one that comes. */
  readonly ahead?: true;
}

/** `egress/<address>`: an address that pods leave the cluster by, and the node that holds it. Changed by compare-and-swap only. */
export interface EgressRecord {
  /** What configurations call it. */
  readonly name: string;
  readonly address: Address;
  /** Absent: the last holder has let it go. */
  readonly node?: string;
  readonly uid?: string;
  /** The holder gives it up so long after it last knew that it was heard of. */
  readonly holdSeconds: number;
  /** Since when it is held, or free; milliseconds since the epoch, of the writer's clock: for people. */
  readonly sinceMs: number;
  /** As of a block. */
  readonly writes: number;
}

/**
 * `endpoints/<network>/<node>/<mac>`: somebody on a segment that stretches over nodes. Written by its node alone, for as
 * long as it is there.
 */
export interface EndpointRecord extends NodeId {
  readonly network: string;
  readonly mac: Mac;
  readonly addresses: readonly Address[];
  /** When it came to the node, milliseconds since the epoch: who has moved is where it came last. */
  readonly sinceMs: number;
}

/** Prefixes of the keys, each ending with a slash. */
export const KEYS = {
  nodes: "nodes/",
  alive: "alive/",
  blocks: "blocks/",
  fixed: "fixed/",
  egress: "egress/",
  reservations: "reservations/",
  wants: "wants/",
  endpoints: "endpoints/",
} as const;

export const nodeKey = (name: string): string => `${KEYS.nodes}${name}`;
export const aliveKey = (name: string): string => `${KEYS.alive}${name}`;
export const blockKey = (pool: string, prefix: Prefix): string => `${KEYS.blocks}${pool}/${prefix.replace("/", "-")}`;
export const fixedKey = (pool: string, address: Address): string => `${KEYS.fixed}${pool}/${address}`;
export const egressKey = (address: Address): string => `${KEYS.egress}${address}`;
export const reservationKey = (pool: string, name: string): string => `${KEYS.reservations}${pool}/${name}`;
export const wantKey = (pool: string, family: Family, node: string): string => `${KEYS.wants}${pool}/${family}/${node}`;
export const endpointKey = ({ network, node, mac }: Pick<EndpointRecord, "network" | "node" | "mac">): string =>
  `${KEYS.endpoints}${network}/${node}/${mac}`;
