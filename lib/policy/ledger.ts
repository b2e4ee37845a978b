/** The elements that should stand, and what of them changed since somebody asked. */
import type { ElementFact } from "#lib/state/fact.ts";
import { identity } from "#lib/state/fact.ts";

export interface Ledger {
  put(fact: ElementFact): void;
  drop(fact: ElementFact): void;
  all(): Iterable<ElementFact>;
  /** What stands under the fact's key. */
  at(fact: ElementFact): ElementFact | undefined;
  /** Since the last time, in the order of the changes; what came and went meanwhile is in neither. */
  take(): { readonly add: readonly ElementFact[]; readonly remove: readonly ElementFact[] };
}

export function ledger(): Ledger {
  const standing = new Map<string, ElementFact>();
  /** As it stood when it was last asked for; undefined: it did not. */
  const before = new Map<string, ElementFact | undefined>();
  const note = (key: string) => {
    if (!before.has(key)) before.set(key, standing.get(key));
  };
  return {
    put(fact) {
      const key = identity(fact);
      const was = standing.get(key);
      if (was !== undefined && same(was, fact)) return;
      note(key);
      standing.set(key, fact);
    },
    drop(fact) {
      const key = identity(fact);
      if (!standing.has(key)) return;
      note(key);
      standing.delete(key);
    },
    all: () => standing.values(),
    at: (fact) => standing.get(identity(fact)),
    take() {
      const add: ElementFact[] = [];
      const remove: ElementFact[] = [];
      for (const [key, was] of before) {
        const now = standing.get(key);
        if (now === undefined) {
          if (was !== undefined) remove.push(was);
        } else if (was === undefined || !same(was, now)) add.push(now);
      }
      before.clear();
      return { add, remove };
    },
  };
}

const same = (a: ElementFact, b: ElementFact): boolean => a.value?.join() === b.value?.join();
