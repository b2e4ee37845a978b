/** One of the two places that an `apply` works on, with what it is to do there. */
import type { Op } from "#lib/state/diff.ts";
import type { Known } from "./known.ts";
import type { Place } from "./place.ts";

export interface Side {
  readonly place: Place;
  /** What is added and changed there. */
  readonly ops: readonly Op[];
  readonly known: Known;
}
