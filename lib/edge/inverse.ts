/** Back to an earlier revision: the steps since then, undone from the newest on. */
import type { Step } from "./change.ts";
import { isSecret, type Line, lineOf, type Path, pathOf } from "./path.ts";
import { type OwnedPiece, type Ownership, ownership, type Piece } from "./piece.ts";

/** What was ours before `steps`, which are in the order in which they were made. */
export function before(owned: Ownership, steps: readonly Step[]): Ownership {
  const pieces = new Map<Line, OwnedPiece>(owned);
  for (const { at, within, removed, added } of steps.toReversed()) {
    const now = pieces.get(at)?.lines ?? [];
    const lines = [...new Set([...now.filter((line) => !added.includes(line)), ...removed])];
    pieces.set(at, { at, ...(within === undefined ? {} : { within }), lines });
  }
  return ownership([...pieces.values()].filter(({ lines }) => lines.length > 0));
}

/**
 * Pieces that make it so again. A secret is known by its mark only: it is found among `known`. Where it is another by now, that
 * one is kept: without any a session would end, or a tunnel not be committed.
 * @returns besides, the lines that were not set again
 */
export function restored(was: Ownership, known: Iterable<Path>): { pieces: Piece[]; lost: Line[] } {
  const secrets = new Map<Line, Path>();
  /** By the line of the leaf; the first of each. */
  const present = new Map<Line, Path>();
  for (const path of known) {
    const line = lineOf(path);
    if (!isSecret(line)) continue;
    secrets.set(line, path);
    const leaf = leafOf(path);
    if (!present.has(leaf)) present.set(leaf, path);
  }
  const lost: Line[] = [];
  const pieces = [...was.values()].map(({ at, within, lines }) => ({
    at: pathOf(at),
    ...(within === undefined ? {} : { within: pathOf(within) }),
    paths: lines.flatMap((line) => {
      if (!isSecret(line)) return [pathOf(line)];
      const path = secrets.get(line);
      if (path !== undefined) return [path];
      lost.push(line);
      const other = present.get(leafOf(pathOf(line)));
      return other === undefined ? [] : [other];
    }),
  }));
  return { pieces: pieces.filter(({ paths }) => paths.length > 0), lost };
}

const leafOf = (path: Path): Line => lineOf(path.slice(0, -1));
