/** What the kernel has counted on links and their queues, since each was made. */
import type { Address } from "#lib/address.ts";

export interface QueueCounters {
  /** Let through. */
  readonly bytes: number;
  readonly packets: number;
  readonly drops: number;
  /** How often something had to wait for the rate. */
  readonly overlimits: number;
}

export interface LinkCounters {
  readonly link: string;
  /** Entered the host by the link, before any filter. */
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly txBytes: number;
  readonly txPackets: number;
  /** Of the shaper or the tree that is its root queue; absent where neither is. */
  readonly queue?: QueueCounters;
  /** Of a tree, by number. */
  readonly classes?: ReadonlyMap<number, QueueCounters>;
}

/** Packets that began, or would have begun, a connection. */
export interface Flow {
  readonly from: Address;
  readonly to: Address;
  readonly protocol: string;
  /** Of the destination. */
  readonly port: number;
  readonly packets: number;
}
