/** A mirror of an attachment's traffic as it is remembered until it ends. */
import type { Fact } from "./fact.ts";

export type MirrorDirection = "in" | "out" | "both";

export interface Mirror {
  /** Unique on the node: how an operator names it. */
  readonly id: string;
  /** The interface of the pod whose traffic is copied. */
  readonly ifname: string;
  /** `link:NAME`, `vxlan:ADDRESS:VNI`, `gre:ADDRESS`, `erspan:ADDRESS:SESSION`. */
  readonly to: string;
  /** As seen from the pod. */
  readonly direction: MirrorDirection;
  /** As it was given; empty: everything. */
  readonly filter: string;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly untilMs: number;
  /** What it adds to those of the attachment, all on the host. */
  readonly facts: readonly Fact[];
}
