/** Back to what was ours after a revision: the opposite change, pushed and saved as any other. */
import { type Change, change, isNothing, present } from "#lib/edge/change.ts";
import type { Dialect } from "#lib/edge/dialect.ts";
import { before, restored } from "#lib/edge/inverse.ts";
import type { Line, Path } from "#lib/edge/path.ts";
import type { Piece } from "#lib/edge/piece.ts";
import { renamedSteps } from "#lib/edge/renamed.ts";
import { endsOf, type Tree } from "#lib/edge/tree.ts";
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
}

/**
 * @param now as the router is @param earlier what had secrets that the history has the marks of
 * @returns lines that could not be set again @throws SelvedgeError
 */
export async function takeBack(
  to: number,
  now: Place,
  earlier: Place,
  { memory, make, settle }: Hands,
): Promise<readonly Line[]> {
  const since = (await memory.history()).filter(({ revision }) => revision > to).flatMap(({ steps }) => steps);
  const owned = present(now.state.record.owned, now.have);
  const was = to === 0 ? new Map() : before(owned, renamedSteps(since, now.dialect));
  const { pieces, lost } = restored(was, secretsIn(earlier));
  const back = change(pieces, now.have, now.state.record.owned);
  await settle(isNothing(back) ? now.have : await make(now.state, back, pieces));
  return lost;
}

const secretsIn = ({ wanted, have }: Place): Path[] => [...wanted.flatMap(({ paths }) => paths), ...endsOf(have, [])];
