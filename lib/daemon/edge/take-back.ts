/**
 * Back to what was ours after a revision: the opposite change, pushed and saved as any other. What the router does not take of
 * it stays as it is there; the rest is undone.
 */
import { type Change, change, isNothing, present } from "#lib/edge/change.ts";
import type { Dialect } from "#lib/edge/dialect.ts";
import { before, restored } from "#lib/edge/inverse.ts";
import { type Line, lineOf, type Path } from "#lib/edge/path.ts";
import type { Piece } from "#lib/edge/piece.ts";
import { renamedSteps } from "#lib/edge/renamed.ts";
import { endsOf, type Tree } from "#lib/edge/tree.ts";
import { isFailure } from "#lib/errors.ts";
import type { Memory } from "./memory.ts";
import type { Kept } from "./push.ts";

/** A look at the router. */
export interface Place {
  readonly wanted: readonly Piece[];
  readonly have: Tree;
  readonly state: Kept;
  readonly dialect: Dialect;
}

export interface Hands {
  readonly memory: Memory;
  /** Pushes, and looks again. @throws SelvedgeError */
  make(state: Kept, change: Change, pieces: readonly Piece[]): Promise<Tree>;
  /** The router has what it should. @throws SelvedgeError */
  settle(have: Tree): Promise<void>;
  /** The same pieces; those that it has refused by now stay as they are there. */
  heeded(pieces: readonly Piece[]): readonly Piece[];
  /** As it is after a push of which something was refused. @throws SelvedgeError router */
  see(pieces: readonly Piece[]): Promise<Pick<Place, "have" | "state">>;
}

export interface TakenBack {
  /** That could not be set again. */
  readonly lost: readonly Line[];
  /** `at` of pieces that the router does not take as they were. */
  readonly refused: readonly Line[];
}

/** @param now as the router is @param earlier what had secrets that the history has the marks of @throws SelvedgeError */
export async function takeBack(
  to: number,
  now: Place,
  earlier: Place,
  { memory, make, settle, heeded, see }: Hands,
): Promise<TakenBack> {
  const since = (await memory.history()).filter(({ revision }) => revision > to).flatMap(({ steps }) => steps);
  const owned = present(now.state.record.owned, now.have);
  const was = to === 0 ? new Map() : before(owned, renamedSteps(since, now.dialect));
  const { pieces, lost } = restored(was, secretsIn(earlier));
  let { have, state }: Pick<Place, "have" | "state"> = now;
  // Each round refuses one piece more, at least.
  for (;;) {
    const left = heeded(pieces);
    const back = change(left, have, state.record.owned);
    try {
      await settle(isNothing(back) ? have : await make(state, back, left));
      return { lost, refused: staying(left) };
    } catch (error) {
      const isRefusal = isFailure(error, "router") && error.failure.why === "refused";
      if (!isRefusal || staying(heeded(pieces)).length === staying(left).length) throw error;
    }
    ({ have, state } = await see(pieces));
  }
}

const staying = (pieces: readonly Piece[]): Line[] =>
  pieces.flatMap(({ at, stays }) => (stays === undefined ? [] : [lineOf(at)]));

const secretsIn = ({ wanted, have }: Place): Path[] => [...wanted.flatMap(({ paths }) => paths), ...endsOf(have, [])];
