/** What Selvedge has on a router: pieces of its configuration, each of which is ours as a whole. */
import { isBelow, type Line, lineOf, type Path, pathOf } from "./path.ts";

/** What a router should have. */
export interface Piece {
  /** The node that is ours with everything in it: `protocols static route 10.66.0.0/16`. */
  readonly at: Path;
  /** At or below `at`; none: it is not there, for now. */
  readonly paths: readonly Path[];
  /** A node above that goes with the last that is in it, where VyOS does not commit it empty: `protocols bgp`. */
  readonly within?: Path;
  /** `at` of pieces without any of which this one must not be there. */
  readonly needs?: readonly Path[];
  /** Why all of it stays as the router has it, whatever that is. */
  readonly stays?: string;
  /** Why it is not made where the router has nothing of it yet. Where it has, it is kept up, and this is told of. */
  readonly unlessHeld?: string;
  /** It follows pods: what goes of it is not counted as taken away. */
  readonly followsPods?: true;
}

/** What a router has of us. */
export interface OwnedPiece {
  readonly at: Line;
  readonly within?: Line;
  readonly lines: readonly Line[];
}

/** By `at`. */
export type Ownership = ReadonlyMap<Line, OwnedPiece>;

export const ownership = (pieces: Iterable<OwnedPiece>): Ownership =>
  new Map([...pieces].map((piece) => [piece.at, piece]));

export const linesIn = (owned: Ownership): number => [...owned.values()].reduce((n, { lines }) => n + lines.length, 0);

/** Ours is what either says. */
export function both(some: Ownership, others: Ownership): Ownership {
  const all = new Map(some);
  for (const piece of others.values()) {
    const lines = new Set([...(all.get(piece.at)?.lines ?? []), ...piece.lines]);
    all.set(piece.at, { ...all.get(piece.at), ...piece, lines: [...lines] });
  }
  return all;
}

/** What is left of it where only lines that hold are ours. */
export const only = (owned: Ownership, holds: (line: Line) => boolean): Ownership =>
  ownership(
    [...owned.values()]
      .map((piece) => ({ ...piece, lines: piece.lines.filter(holds) }))
      .filter(({ lines }) => lines.length > 0),
  );

/** First words of all that is wanted or owned: what has to be read of the router. */
export function sections(wanted: readonly Piece[], owned: Ownership): string[] {
  const first = [...wanted.map(({ at }) => at), ...[...owned.keys()].map(pathOf)].flatMap(([word]) => word ?? []);
  return [...new Set(first)].sort();
}

/** Pieces that lie in one another, or are there twice: a mistake of whoever made them. */
export function overlapping(pieces: readonly Piece[]): Path | undefined {
  const sorted = pieces.map(({ at }) => at).sort((a, b) => (lineOf(a) < lineOf(b) ? -1 : 1));
  return sorted.find((path, i) => {
    const before = sorted[i - 1];
    return before !== undefined && isBelow(path, before);
  });
}
