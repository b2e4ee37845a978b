/**
 * What is remembered of a router, in the words of the version that it has now: an upgrade moves what is there, to 1.5
 * `load-balancing reverse-proxy` to `load-balancing haproxy`.
 */
import type { Step } from "./change.ts";
import { DIALECTS, type Dialect } from "./dialect.ts";
import { isBelow, type Line, lineOf, type Path, pathOf } from "./path.ts";
import { both, type Ownership, ownership } from "./piece.ts";

/** Below what the router does not know any more, and where that is now. */
const movesTo = ({ loadBalancing }: Dialect): readonly (readonly [was: Path, now: Path])[] =>
  Object.values(DIALECTS)
    .filter((other) => lineOf(other.loadBalancing) !== lineOf(loadBalancing))
    .map((other) => [other.loadBalancing, loadBalancing]);

function renamer(dialect: Dialect): (line: Line) => Line {
  const moves = movesTo(dialect);
  return (line) => {
    const move = moves.find(([was]) => line.startsWith(lineOf(was)) && isBelow(pathOf(line), was));
    return move === undefined ? line : lineOf([...move[1], ...pathOf(line).slice(move[0].length)]);
  };
}

const place = ({ at, within }: { readonly at: Line; readonly within?: Line }, now: (line: Line) => Line) => ({
  at: now(at),
  ...(within === undefined ? {} : { within: now(within) }),
});

export function renamed(owned: Ownership, dialect: Dialect): Ownership {
  const now = renamer(dialect);
  const moved = [...owned.values()].filter(({ at }) => now(at) !== at);
  if (moved.length === 0) return owned;
  const stays = [...owned.values()].filter(({ at }) => now(at) === at);
  return both(
    ownership(stays),
    ownership(moved.map((piece) => ({ ...place(piece, now), lines: piece.lines.map(now) }))),
  );
}

export function renamedSteps(steps: readonly Step[], dialect: Dialect): Step[] {
  const now = renamer(dialect);
  return steps.map((step) =>
    now(step.at) === step.at
      ? step
      : { ...place(step, now), removed: step.removed.map(now), added: step.added.map(now) },
  );
}
