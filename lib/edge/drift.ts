/** Pieces in which somebody else has changed what is ours. */
import { type Line, lineOf } from "./path.ts";
import type { Ownership, Piece } from "./piece.ts";
import { nodeAt, type Tree } from "./tree.ts";

/**
 * @param owned what the router had when it was last as it should be
 * @param known pieces that were found earlier, and that nobody has put right since
 * @returns `at` of each
 */
export function drifted(wanted: readonly Piece[], have: Tree, owned: Ownership, known: readonly Line[]): Line[] {
  const before = new Set(known);
  return wanted.flatMap(({ at: path, paths }) => {
    const at = lineOf(path);
    const missing = paths.filter((each) => nodeAt(have, each) === undefined);
    if (missing.length === 0) return [];
    const ours = new Set(owned.get(at)?.lines);
    return before.has(at) || missing.some((each) => ours.has(lineOf(each))) ? [at] : [];
  });
}
