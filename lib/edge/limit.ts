/** How much one push may take away without being asked for by name. */
import type { Step } from "./change.ts";
import type { Ownership } from "./piece.ts";

export interface DeleteLimit {
  readonly percent: number;
  readonly paths: number;
}

/** Lines that go without another coming in their place. */
export const takenAway = (steps: readonly Step[]): number =>
  steps.reduce((n, { removed, added }) => n + Math.max(0, removed.length - added.length), 0);

/** A sentence when the steps take more than both a share of what is ours and a number of paths. */
export function beyond(steps: readonly Step[], owned: Ownership, { percent, paths }: DeleteLimit): string | undefined {
  const going = takenAway(steps);
  const all = [...owned.values()].reduce((n, { lines }) => n + lines.length, 0);
  const most = Math.max(paths, Math.floor((all * percent) / 100));
  return going <= most ? undefined : `${going} of ${all} paths would go, and one push may take ${most}`;
}
