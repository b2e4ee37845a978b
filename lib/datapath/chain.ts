/** A chain of one of our nftables tables, and how packets come to it. */

/** What packets pass before conntrack, in `inet`. */
export const RAW = "raw_prerouting";
/** What packets pass that are routed on, in `inet`. Without a chain that it calls there is none. */
export const FORWARDED = "forwarded";

export interface Chain {
  readonly name: string;
  /** For a base chain: type, hook and priority. */
  readonly hook?: string;
  /** For one that every packet would pay for as a base chain of its own: which chain calls it, and for what packets. */
  readonly called?: { readonly by: typeof RAW | typeof FORWARDED; readonly when: string };
  /** Sets that only its rules fill, declared as nft has it. */
  readonly sets?: readonly string[];
  /** Flowtable that only its rules fill. */
  readonly flowtable?: string;
  readonly rules: readonly string[];
}
