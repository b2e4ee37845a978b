/** Facts that several may want: each is there as long as anybody does. */
import { type Fact, identity } from "#lib/state/fact.ts";

export interface Counted {
  /** Somebody wants `after` instead of `before`. @returns what nobody wants any more */
  replace(before: readonly Fact[], after: readonly Fact[]): Fact[];
  /** Somebody wants something at its identity. */
  has(fact: Fact): boolean;
}

export function counted(): Counted {
  /** How many want it, by identity. */
  const wanted = new Map<string, number>();
  const add = (fact: Fact, by: number): number => {
    const key = identity(fact);
    const now = (wanted.get(key) ?? 0) + by;
    if (now === 0) wanted.delete(key);
    else wanted.set(key, now);
    return now;
  };
  return {
    replace(before, after) {
      for (const fact of after) add(fact, 1);
      for (const fact of before) add(fact, -1);
      return before.filter((fact) => !wanted.has(identity(fact)));
    },
    has: (fact) => wanted.has(identity(fact)),
  };
}
