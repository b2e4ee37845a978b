/**
 * Objects of which the server takes no status, as of one that was made before the schema was another. Each is tried seldom, and
 * holds up no other.
 */
import type { Told } from "./told.ts";

export interface Untaken {
  /** Why it is not tried now; undefined: it is. */
  why(of: Subject): string | undefined;
  note(of: Subject, message: string): void;
}

type Subject = Pick<Told, "uid" | "generation">;

const AGAIN_MS = 300_000;

export function untaken(nowMs: () => number): Untaken {
  const all = new Map<string, { readonly message: string; readonly atMs: number }>();
  const keyOf = ({ uid, generation }: Subject): string => `${uid} ${generation}`;
  return {
    why(of) {
      const found = all.get(keyOf(of));
      return found !== undefined && nowMs() - found.atMs < AGAIN_MS ? found.message : undefined;
    },
    note(of, message) {
      for (const [key, { atMs }] of all) if (nowMs() - atMs >= AGAIN_MS) all.delete(key);
      all.set(keyOf(of), { message, atMs: nowMs() });
    },
  };
}
