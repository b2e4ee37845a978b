/** What a router has refused: it stays as it is there until something else is wanted in its place, or the router is another. */
import { digestOf } from "#lib/edge/digest.ts";
import { type Line, lineOf } from "#lib/edge/path.ts";
import type { Piece } from "#lib/edge/piece.ts";

export interface Refusal {
  readonly at: Line;
  /** The router's words. */
  readonly message: string;
}

export interface Refusals {
  readonly all: readonly Refusal[];
  note(piece: Piece, message: string): void;
  /** The same pieces; those that were refused as they are stay on the router as it has them. */
  heeded(pieces: readonly Piece[]): Piece[];
  /** Forgets what is not wanted any more, or not like that. */
  sift(pieces: readonly Piece[]): void;
  clear(): void;
}

export function refusals(): Refusals {
  const refused = new Map<Line, { readonly digest: string; readonly message: string }>();
  const messageOf = (piece: Piece): string | undefined => {
    const found = refused.size === 0 ? undefined : refused.get(lineOf(piece.at));
    return found?.digest === digestOf([piece]) ? found?.message : undefined;
  };
  return {
    get all() {
      return [...refused].map(([at, { message }]) => ({ at, message }));
    },
    note: (piece, message) => void refused.set(lineOf(piece.at), { digest: digestOf([piece]), message }),
    heeded: (pieces) =>
      pieces.map((piece) => {
        const stays = messageOf(piece);
        return stays === undefined ? piece : { ...piece, paths: [], stays };
      }),
    sift(pieces) {
      const wanted = new Set(pieces.flatMap((piece) => (messageOf(piece) === undefined ? [] : [lineOf(piece.at)])));
      for (const at of refused.keys()) if (!wanted.has(at)) refused.delete(at);
    },
    clear: () => refused.clear(),
  };
}
