/** Tells whether the same is wanted still. */
import { createHash } from "node:crypto";
import { lineOf } from "./path.ts";
import type { Piece } from "./piece.ts";

export const digestOf = (pieces: readonly Piece[]): string =>
  createHash("sha256")
    .update(JSON.stringify(pieces.map((piece) => [isWhollyWanted(piece), ...piece.paths.map(lineOf)])))
    .digest("hex");

const isWhollyWanted = ({ stays, unlessHeld }: Piece): boolean => stays === undefined && unlessHeld === undefined;
