/** Which pieces of a commit a router refuses: halves are tried, and what is not refused is made. */
import { isBelow, type Path } from "#lib/edge/path.ts";
import type { Piece } from "#lib/edge/piece.ts";
import { isFailure, type SelvedgeError } from "#lib/errors.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";

export interface Isolated {
  readonly refused: readonly { readonly piece: Piece; readonly message: string }[];
  /** Something was made. */
  readonly isDone: boolean;
  /** What ended the search, and is no refusal. */
  readonly error?: SelvedgeError;
}

/** A refused commit costs the router little: it ends before anything is done. Other failures end the search. */
export async function isolate(router: Vyos, wanted: readonly Piece[], sets: readonly Path[]): Promise<Isolated> {
  const refused: { piece: Piece; message: string }[] = [];
  let isDone = false;
  let over: SelvedgeError | undefined;
  const attempt = async (pieces: readonly Piece[]): Promise<void> => {
    if (over !== undefined) return;
    const commands = pieces.flatMap(({ at }) =>
      sets.filter((path) => isBelow(path, at)).map((path) => ({ op: "set", path }) as const),
    );
    try {
      await router.configure(commands);
      isDone = true;
    } catch (error) {
      if (!isFailure(error, "router")) throw error;
      const [first] = pieces;
      if (error.failure.why !== "refused") over = error;
      else if (first !== undefined && pieces.length === 1) refused.push({ piece: first, message: error.message });
      else {
        const half = Math.ceil(pieces.length / 2);
        await attempt(pieces.slice(0, half));
        await attempt(pieces.slice(half));
      }
    }
  };
  const suspects = wanted.filter(({ at }) => sets.some((path) => isBelow(path, at)));
  if (suspects.length > 0) await attempt(suspects);
  return { refused, isDone, ...(over === undefined ? {} : { error: over }) };
}
