/**
 * Numbers that the kernel knows classes of peers and rows by, in nft's type `classid`. They follow from what they
 * stand for, so that a daemon that starts again finds its own in the kernel.
 */
import { createHash } from "node:crypto";

/** Addresses that are no pod's and in no block that a policy names. */
export const OUTSIDE = "0:0";
/** Pods that no policy names in particular. */
export const ANY_POD = "0:1";

export interface Numbers {
  /** The same for the same text, another for another. */
  of(text: string): string;
  forget(text: string): void;
}

/** Majors from 1 to 0xfffe: 0 is for the two above, and the highest number has a name in tc (linux/pkt_sched.h, TC_H_ROOT). */
const FIRST = 0x1_0000;
const LAST = 0xfffe_ffff;

export function numbers(): Numbers {
  const byText = new Map<string, number>();
  const taken = new Set<number>();
  return {
    of(text) {
      let number = byText.get(text);
      if (number === undefined) {
        number = FIRST + (createHash("sha256").update(text).digest().readUInt32BE() % (LAST - FIRST + 1));
        // Two of ten thousand texts meet once in a hundred clusters: the later one moves on.
        while (taken.has(number)) number = number === LAST ? FIRST : number + 1;
        byText.set(text, number);
        taken.add(number);
      }
      return `${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`;
    },
    forget(text) {
      const number = byText.get(text);
      if (number === undefined) return;
      byText.delete(text);
      taken.delete(number);
    },
  };
}
