/** What the rig is made of: machines, what is on its way between them and the store, and what runs on them. */
import type { Address } from "#lib/address.ts";
import type { SelvedgeError } from "#lib/errors.ts";
import type { Ipam } from "#lib/ipam/ipam.ts";
import type { Store } from "#lib/store/store.ts";
import type { Blocks } from "./blocks.ts";
import type { Hearing } from "./hearing.ts";

/** A request on its way, or a time that somebody waits for. */
export interface Pending {
  readonly of: Machine;
  readonly life: number;
  /** Absent: a time. */
  readonly perform?: () => unknown;
  readonly dueMs: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface Machine {
  readonly name: string;
  uid: string;
  store: Store;
  /** Counts the daemons that ran here: what an old one waits for never comes. */
  life: number;
  daemon?: { readonly ipam: Ipam; readonly blocks: Blocks };
  cut: boolean;
  /** Of the shared store. */
  readonly hearing: Hearing;
  passing: boolean;
}

/** What runs: an address belongs to at most one of them, wherever it is. */
export interface Pod {
  readonly id: string;
  readonly machine: string;
  readonly addresses: readonly Address[];
  readonly name?: string;
}

export interface Rig {
  readonly nowMs: number;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly log: readonly string[];
  /** Values of the shared store. */
  entries(prefix: string): readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  machines(): readonly string[];
  isUp(machine: string): boolean;
  ipamOf(machine: string): Ipam | undefined;
  blocksOf(machine: string): Blocks | undefined;
  /** Starts an ADD; how it ended is told by `ended`. */
  add(
    machine: string,
    id: string,
    options?: { readonly name?: string; readonly keep?: boolean; readonly requested?: readonly Address[] },
  ): void;
  ended(id: string): "added" | SelvedgeError | undefined;
  del(id: string): void;
  start(machine: string): void;
  /** The daemon alone; pods and the store of the node stay. */
  kill(machine: string): void;
  /** The machine with everything on it, and the records that told of it. */
  removeNode(machine: string): void;
  /** Blocks of one become those of another, as if it were gone. */
  takeAway(machine: string, by: string): void;
  cut(machine: string): void;
  heal(machine: string): void;
  isCut(machine: string): boolean;
  /** The watch of a machine begins anew. */
  relist(machine: string): void;
  /** One event, whichever the seed chooses. */
  step(): Promise<void>;
  pass(machine: string): void;
  advance(ms: number): void;
  /** No faults until `ms` of the rig's time have passed. */
  calm(ms: number): Promise<void>;
  /** Whether requests and answers may be lost. */
  faults: boolean;
}
