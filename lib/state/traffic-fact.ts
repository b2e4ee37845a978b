/** Facts of what happens to packets on a link: how fast they leave, where they go instead, who gets copies. */
import type { Mac } from "#lib/address.ts";
import type { Place } from "./place.ts";

/** A token bucket as the root queue of a link: what leaves by that link is held to the rate. */
export interface ShaperFact {
  readonly type: "shaper";
  readonly at: Place;
  readonly link: string;
  /** Bits per second. */
  readonly rateBits: number;
  /** Bytes. Already clamped by whoever made the fact. */
  readonly burstBytes: number;
  /** Longest time that a packet may wait in the queue, microseconds. */
  readonly latencyUs: number;
}

/**
 * A tree of token buckets (HTB) as the root queue of a link: what leaves by it is held to the rate as a whole, and each
 * class within to its own. It stands in the place of a shaper, so the two have one identity.
 */
export interface TreeFact {
  readonly type: "tree";
  readonly at: Place;
  readonly link: string;
  /** Bits per second, of all classes together. */
  readonly rateBits: number;
  readonly burstBytes: number;
  /** Longest time that a packet may wait in the queue of its class at the class's highest rate, microseconds. */
  readonly latencyUs: number;
  readonly classes: readonly TreeClass[];
}

export interface TreeClass {
  /** Minor number of the class, 16 to 255. What no class matches goes to the first. */
  readonly id: number;
  /** Frames from or to this address belong to the class. */
  readonly match: { readonly field: "source" | "destination"; readonly mac: Mac };
  /** Bits per second that it always gets. */
  readonly rateBits: number;
  /** Bits per second that it never exceeds. */
  readonly ceilBits: number;
  readonly burstBytes: number;
  /** 0 to 7 (TC_HTB_NUMPRIO): the lower takes first what others leave. */
  readonly order: number;
}

/** Everything that enters by `link` is sent out by `to` (clsact, a match of everything, mirred egress redirect). */
export interface RedirectFact {
  readonly type: "redirect";
  readonly at: Place;
  readonly link: string;
  readonly to: string;
  /** Everything that leaves by `link` instead; the device gives it back to the link. Absent: what enters. */
  readonly hook?: "egress";
}

/** Copies of what passes a link are sent out by `to` (clsact, mirred egress mirror); the packets themselves go on. */
export interface MirrorFact {
  readonly type: "mirror";
  readonly at: Place;
  readonly link: string;
  /** `ingress`: what enters the host by the link, which for a pod's link is what the pod sends. */
  readonly hook: "ingress" | "egress";
  /** 0 to 15: one mirror's place among those of the link. */
  readonly slot: number;
  readonly to: string;
  /** A packet is copied when one of them holds. */
  readonly matches: readonly PacketMatch[];
}

/** A match of bytes of a packet, from the start of its network header. */
export interface PacketMatch {
  readonly protocol: "all" | "ip" | "ipv6";
  /** Words of 4 bytes in network order; `offset` is a multiple of 4. All must hold; none is everything. */
  readonly words: readonly { readonly offset: number; readonly mask: number; readonly value: number }[];
}
