/** The elements that should stand, and what of them changed since somebody asked. */
import type { ElementFact } from "#lib/state/fact.ts";

export interface Ledger {
  put(fact: ElementFact): void;
  drop(fact: ElementFact): void;
  /** Those that stand when they are asked for, of those that stood at first. */
  all(): Iterable<ElementFact>;
  /** What stands under the fact's key. */
  at(fact: ElementFact): ElementFact | undefined;
  /** Since the last time, in the order of the changes; what came and went meanwhile is in neither. */
  take(): { readonly add: readonly ElementFact[]; readonly remove: readonly ElementFact[] };
}

/** One set's, of which there may be hundreds of thousands: as texts, of which most are parts of something else as well. */
interface OfSet {
  /** One of them; the others differ by key and value alone. */
  readonly like: ElementFact;
  /** Value by key. */
  readonly standing: Map<string, string>;
}

interface Change {
  readonly of: OfSet;
  readonly key: string;
  /** As it stood when it was last asked for; undefined: it did not. */
  readonly was: string | undefined;
}

export function ledger(): Ledger {
  const sets = new Map<string, OfSet>();
  const changes = new Map<OfSet, Set<string>>();
  let order: Change[] = [];

  const setOf = (fact: ElementFact): OfSet => {
    const name = `${fact.family} ${fact.table} ${fact.set}`;
    const there = sets.get(name);
    if (there !== undefined) return there;
    const made = { like: fact, standing: new Map<string, string>() };
    sets.set(name, made);
    changes.set(made, new Set());
    return made;
  };
  const note = (of: OfSet, key: string): void => {
    const noted = changes.get(of);
    if (noted?.has(key) !== false) return;
    noted.add(key);
    order.push({ of, key, was: of.standing.get(key) });
  };
  return {
    put(fact) {
      const of = setOf(fact);
      const [key, value] = [textOf(fact.key), textOf(fact.value ?? [])];
      if (of.standing.get(key) === value) return;
      note(of, key);
      of.standing.set(key, value);
    },
    drop(fact) {
      const of = setOf(fact);
      const key = textOf(fact.key);
      if (!of.standing.has(key)) return;
      note(of, key);
      of.standing.delete(key);
    },
    *all() {
      for (const of of sets.values())
        for (const key of [...of.standing.keys()]) {
          const value = of.standing.get(key);
          if (value !== undefined) yield factOf(of, key, value);
        }
    },
    at(fact) {
      const of = setOf(fact);
      const key = textOf(fact.key);
      const value = of.standing.get(key);
      return value === undefined ? undefined : factOf(of, key, value);
    },
    take() {
      const add: ElementFact[] = [];
      const remove: ElementFact[] = [];
      for (const { of, key, was } of order) {
        const now = of.standing.get(key);
        if (now === was) continue;
        if (now !== undefined) add.push(factOf(of, key, now));
        else if (was !== undefined) remove.push(factOf(of, key, was));
      }
      order = [];
      for (const noted of changes.values()) noted.clear();
      return { add, remove };
    },
  };
}

/** No part of a key or a value has a space. */
const textOf = ([first = "", ...more]: readonly string[]): string =>
  more.length === 0 ? first : [first, ...more].join(" ");

function factOf({ like: { value: _, ...like } }: OfSet, key: string, value: string): ElementFact {
  const made = { ...like, key: key.split(" ") };
  return value === "" ? made : { ...made, value: value.split(" ") };
}
