/**
 * The port to durable state. One `commit` is atomic and durable against SIGKILL when it resolves.
 * The daemon keeps everything in memory and reads the store only at start.
 * Implementations: `memory.ts` (tests), `sqlite.ts`. Both pass `contract.ts`. What nodes share is another port (`shared.ts`).
 */
import type { Address, Prefix } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { AttachmentKey, CoolDown, Lease, Origin, PoolRecord, Reservation, Share } from "#lib/state/lease.ts";
import type { Mirror } from "#lib/state/mirror.ts";

export type { AttachmentKey, CoolDown, Lease, Origin, PoolRecord, Reservation, Share };

/**
 * `adding`: the intent is written, the kernel may hold any part of it. `ready`: ADD has answered.
 * `deleting`: taken off the network, links or delegates still to be removed.
 */
export type Phase = "adding" | "ready" | "deleting";

/** One of several networks that a pod is on by one attachment. */
export interface PlaneRecord {
  readonly name: string;
  readonly ifname: string;
  readonly type: string;
  readonly tenant?: string;
  /** `namespace/name` of the NetworkAttachmentDefinition that it came of. */
  readonly definition?: string;
  /** The pod's default route leads there. */
  readonly leads?: boolean;
}

export interface AttachmentRecord extends AttachmentKey {
  /** Name of the network configuration list that attached it; GC works on this. */
  readonly network: string;
  readonly phase: Phase;
  /** Attachment type (`ptp`, `bridge`), or `chained`. */
  readonly type: string;
  readonly netns: string;
  /** Inode of the namespace at ADD: tells a reused path from the same namespace. */
  readonly netnsInode?: number;
  /** Attached behind another plugin: links and addresses are that plugin's. */
  readonly chained: boolean;
  /** The configuration exactly as ADD received it (JSON), for DEL after a changed file, and for delegates. */
  readonly config: string;
  /** CNI_ARGS and CNI_PATH of the ADD, for delegates. */
  readonly args: string;
  readonly path: string;
  /** Facts wanted for this attachment on the node and in the pod. */
  readonly facts: readonly Fact[];
  /** The same for its planes of tenants, on the tenant's router and in the pod; by tenant. */
  readonly tenantFacts?: Readonly<Record<string, readonly Fact[]>>;
  /** Its planes in order, the first with its own interface. Absent: one plane, on the node. */
  readonly planes?: readonly PlaneRecord[];
  /** Copies of its traffic that are being made; their facts are among the others. */
  readonly mirrors?: readonly Mirror[];
  /** CNI result in the newest version, as JSON. Absent until `ready`. */
  readonly result?: string;
  /** What an operator recognises: namespace/name of the pod when CNI_ARGS told it. */
  readonly pod?: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
}

export type Change =
  | { readonly put: "attachment"; readonly value: AttachmentRecord }
  | { readonly remove: "attachment"; readonly key: AttachmentKey }
  | { readonly put: "lease"; readonly value: Lease }
  | { readonly remove: "lease"; readonly pool: string; readonly address: Address }
  | { readonly put: "coolDown"; readonly value: CoolDown }
  | { readonly remove: "coolDown"; readonly pool: string; readonly address: Address }
  | { readonly put: "pool"; readonly value: PoolRecord }
  | { readonly remove: "pool"; readonly name: string }
  | { readonly put: "reservation"; readonly value: Reservation }
  | { readonly remove: "reservation"; readonly pool: string; readonly name: string }
  /** Durable against a power cut, too: what is forgotten may be another node's a moment later. */
  | { readonly put: "share"; readonly value: Share }
  | { readonly remove: "share"; readonly pool: string; readonly prefix: Prefix }
  /** The entry of the DEL queue with this name has been carried out; a replay of it is skipped. */
  | { readonly put: "replayed"; readonly name: string; readonly atMs: number }
  | { readonly remove: "replayed"; readonly name: string }
  /** The last that was seen of what nodes share: a daemon that starts without them begins with it. */
  | { readonly put: "shared"; readonly value: Named }
  | { readonly remove: "shared"; readonly name: string }
  /** What the node has made for itself, once: its uid. */
  | { readonly put: "own"; readonly value: Named }
  | { readonly remove: "own"; readonly name: string };

/** A key and its value, as text. */
export interface Named {
  readonly name: string;
  readonly value: string;
}

export interface Snapshot {
  readonly attachments: readonly AttachmentRecord[];
  readonly leases: readonly Lease[];
  readonly coolDowns: readonly CoolDown[];
  readonly pools: readonly PoolRecord[];
  /** Those that are not declared in the daemon's configuration. */
  readonly reservations: readonly Reservation[];
  /** What this node may give of pools that nodes share. */
  readonly shares: readonly Share[];
  readonly replayed: readonly string[];
  readonly shared: readonly Named[];
  readonly own: readonly Named[];
}

export interface Store extends AsyncDisposable {
  /** Everything, consistent. @throws SelvedgeError store */
  load(): Promise<Snapshot>;
  /** All of it or nothing. Putting what is there replaces it; removing what is gone succeeds. @throws SelvedgeError store (disk full, read-only, corrupt; the message says which file and what to do) */
  commit(changes: readonly Change[]): Promise<void>;
}
