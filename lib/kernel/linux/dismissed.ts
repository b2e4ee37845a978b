/**
 * Neighbours that we have taken away ourselves. The kernel tells of that twice, and names the requester the first time only
 * (net/core/neighbour.c, neigh_delete and neigh_cleanup_and_release, v6.12): the second would look like somebody else's doing.
 */
import { identity, type NeighbourFact } from "#lib/state/fact.ts";

export interface Dismissed {
  /** It is being taken away. */
  add(fact: NeighbourFact): void;
  /** It is to be there again. */
  delete(fact: NeighbourFact): void;
  /** Whether its going, which is told of now, is our doing. Once for each time. */
  was(of: Pick<NeighbourFact, "link" | "address">): boolean;
}

/** What is told of is read well before that. */
const KEPT_MS = 10_000;

/** @param nowMs monotonic */
export function dismissed(nowMs: () => number): Dismissed {
  /** When, by identity; the oldest first. */
  const since = new Map<string, number>();
  return {
    add(fact) {
      for (const [id, ms] of since) {
        if (nowMs() - ms < KEPT_MS) break;
        since.delete(id);
      }
      since.delete(identity(fact));
      since.set(identity(fact), nowMs());
    },
    delete: (fact) => void since.delete(identity(fact)),
    was: ({ link, address }) => since.delete(`neighbour host ${link} ${address}`),
  };
}
