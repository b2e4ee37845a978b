/**
 * From what a router has to what it should have: the fewest deletes and sets, as one commit. Only what is ours is ever
 * deleted. Where somebody else has put something into a piece that we want and have nothing of, the piece is left out and
 * reported.
 */
import { isBelow, type Line, lineAfter, lineOf, longer, type Path, pathOf } from "./path.ts";
import { both, type Ownership, only, ownership, type Piece } from "./piece.ts";
import { endsOf, nodeAt, type Tree } from "./tree.ts";

export interface Conflict {
  readonly at: Line;
  /** What somebody else has there; nothing where `needs` says it all. */
  readonly foreign: readonly Line[];
  /** The piece in conflict that this one needs. */
  readonly needs?: Line;
  /** Why it stays as it is, or what is wrong with it. */
  readonly stays?: string;
}

/** What happens to one piece; the words of the history. */
export interface Step {
  readonly at: Line;
  readonly within?: Line;
  readonly removed: readonly Line[];
  readonly added: readonly Line[];
}

export interface Change {
  readonly deletes: readonly Path[];
  readonly sets: readonly Path[];
  readonly steps: readonly Step[];
  readonly conflicts: readonly Conflict[];
  /** Lines that somebody else has put into pieces that are ours; they stay. */
  readonly intruders: readonly Line[];
}

export const isNothing = ({ deletes, sets }: Change): boolean => deletes.length === 0 && sets.length === 0;

interface Piecewise {
  readonly deletes: readonly Path[];
  readonly sets: readonly Path[];
  readonly removed: readonly Line[];
  readonly foreign: readonly Line[];
}

export function change(wanted: readonly Piece[], have: Tree, owned: Ownership): Change {
  const steps: Step[] = [];
  const conflicts: Conflict[] = [];
  const intruders: Line[] = [];
  const sets: Path[] = [];
  let deletes: Path[] = [];
  const going = new Set<Line>();
  const refused = new Set<Line>();
  const wantedAt = new Set<Line>();

  for (const piece of ordered(wanted)) {
    const at = lineOf(piece.at);
    wantedAt.add(at);
    const ours = owned.get(at)?.lines ?? [];
    const isHeld = () => ours.some((line) => nodeAt(have, pathOf(line)) !== undefined);
    const { unlessHeld } = piece;
    const stays = piece.stays ?? (unlessHeld === undefined || isHeld() ? undefined : `stays as it is: ${unlessHeld}`);
    if (stays !== undefined) {
      conflicts.push({ at, foreign: [], stays });
      if (!isHeld()) refused.add(at);
      continue;
    }
    if (unlessHeld !== undefined) conflicts.push({ at, foreign: [], stays: `is kept up, though ${unlessHeld}` });
    const one = piecewise(piece, at, have, ours);
    const needs = piece.needs?.map(lineOf).find((line) => refused.has(line));
    if (needs !== undefined) conflicts.push({ at, foreign: [], needs });
    else if (one.foreign.length > 0 && !isHeld()) conflicts.push({ at, foreign: one.foreign });
    else {
      intruders.push(...one.foreign);
      note(at, piece.within && lineOf(piece.within), one);
      continue;
    }
    refused.add(at);
  }
  for (const piece of owned.values())
    if (!wantedAt.has(piece.at))
      note(piece.at, piece.within, piecewise({ at: pathOf(piece.at), paths: [] }, piece.at, have, piece.lines));

  for (const top of new Set([...owned.values()].flatMap((piece) => piece.within ?? []))) {
    const path = pathOf(top);
    const node = nodeAt(have, path);
    if (node === undefined || wanted.some(({ at, paths }) => paths.length > 0 && isBelow(at, path))) continue;
    const inside = [...owned.values()].filter((piece) => piece.within === top);
    const empty = new Set(inside.flatMap(({ lines }) => lines.flatMap((line) => above(pathOf(line), path))));
    const isEmptied = [...endsOf(node, path)].every((end) => going.has(lineOf(end)) || empty.has(lineOf(end)));
    if (isEmptied) deletes = [...deletes.filter((each) => !isBelow(each, path)), path];
  }
  return { deletes, sets, steps, conflicts, intruders };

  function note(at: Line, above: Line | undefined, one: Piecewise): void {
    for (const line of one.removed) going.add(line);
    deletes.push(...one.deletes);
    sets.push(...one.sets);
    if (one.deletes.length + one.sets.length > 0)
      steps.push({
        at,
        ...(above === undefined ? {} : { within: above }),
        removed: one.removed,
        added: one.sets.map(lineOf),
      });
  }
}

/** What is needed comes before what needs it. */
const ordered = (pieces: readonly Piece[]): Piece[] => [
  ...pieces.filter(({ needs }) => needs === undefined),
  ...pieces.filter(({ needs }) => needs !== undefined),
];

/** The same for one piece, whoever may have set what is there. */
function piecewise(
  { at, paths }: Pick<Piece, "at" | "paths">,
  atLine: Line,
  have: Tree,
  ours: readonly Line[],
): Piecewise {
  const node = nodeAt(have, at);
  if (node === undefined) return { deletes: [], sets: paths, removed: [], foreign: [] };
  const owned = new Set(ours);
  const lines = new Set(paths.map((path) => lineAfter(atLine, at.length, path)));
  const removed: Line[] = [];
  const foreign: Line[] = [];
  /** Nodes above what is or was wanted: where they are empty, a failed commit or a delete has left them, and they are nobody's. */
  let containers: ReadonlySet<Line> | undefined;
  const isContainer = (line: Line): boolean => {
    containers ??= new Set([...paths, ...[...owned].map(pathOf)].flatMap((path) => above(path, at)));
    return containers.has(line);
  };
  /** What becomes of everything at and below a node; where it does not go as a whole, what does is in `deletes`. */
  const prune = (below: Tree, path: Path, line: Line, deletes: Path[]): "goes" | "empty" | "stays" => {
    const isWanted = lines.has(line);
    if (below.size === 0) {
      if (isWanted) return "stays";
      if (owned.has(line)) {
        removed.push(line);
        return "goes";
      }
      if (isContainer(line)) return "empty";
      foreign.push(line);
      return "stays";
    }
    const some: Path[] = [];
    let stays = isWanted;
    for (const [name, next] of below) {
      const place = [...path, name];
      const fate = prune(next, place, longer(line, name, path.at(-1)), some);
      if (fate === "goes") some.push(place);
      stays ||= fate === "stays";
    }
    if (!stays) return some.length > 0 ? "goes" : "empty";
    deletes.push(...some);
    return "stays";
  };
  const deletes: Path[] = [];
  if (prune(node, at, atLine, deletes) === "goes") deletes.push(at);
  const isGone = (path: Path): boolean => deletes.some((each) => isBelow(path, each));
  const sets = paths.filter((path) => nodeAt(have, path) === undefined || isGone(path));
  return { deletes, sets, removed, foreign };
}

const above = (path: Path, from: Path): Line[] =>
  path.slice(from.length).map((_, i) => lineOf(path.slice(0, from.length + i)));

/** What is ours as soon as a change may have been made, in whole or in part. */
export const afterwards = (owned: Ownership, { steps }: Pick<Change, "steps">): Ownership =>
  both(
    owned,
    ownership(
      steps
        .filter(({ added }) => added.length > 0)
        .map(({ at, within, added }) => ({ at, ...(within === undefined ? {} : { within }), lines: added })),
    ),
  );

/** What of ours a router has. */
export function present(owned: Ownership, have: Tree): Ownership {
  const there = new Set<Line>();
  for (const { at } of owned.values()) {
    const path = pathOf(at);
    for (const end of endsOf(nodeAt(have, path) ?? new Map(), path)) there.add(lineOf(end));
  }
  return only(owned, (line) => there.has(line) || nodeAt(have, pathOf(line)) !== undefined);
}
