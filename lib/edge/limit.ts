/** How much one push may take away without being asked for by name. */
import type { Step } from "./change.ts";
import { lineOf } from "./path.ts";
import { linesIn, type Ownership, type Piece } from "./piece.ts";

export interface DeleteLimit {
  readonly percent: number;
  readonly paths: number;
}

/** Lines that go without another coming in their place. */
export const takenAway = (steps: readonly Step[]): number =>
  steps.reduce((n, { removed, added }) => n + Math.max(0, removed.length - added.length), 0);

/**
 * A sentence when the steps take more than both a share of what is ours and a number of paths. Pods come and go by the
 * hundred, and what follows them does not count while it is wanted at all.
 */
export function beyond(
  steps: readonly Step[],
  wanted: readonly Piece[],
  owned: Ownership,
  { percent, paths }: DeleteLimit,
): string | undefined {
  const follow = new Set(wanted.filter(({ followsPods }) => followsPods).map(({ at }) => lineOf(at)));
  const going = takenAway(steps.filter(({ at }) => !follow.has(at)));
  const all = linesIn(owned);
  const most = Math.max(paths, Math.floor((all * percent) / 100));
  return going <= most ? undefined : `${going} of ${all} paths would go, and one push may take ${most}`;
}
