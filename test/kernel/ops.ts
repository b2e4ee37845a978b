/** Facts as operations, in their order or the other way round. */
import type { Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";

export const add = (facts: readonly Fact[]): Op[] => facts.map((fact) => ({ do: "add", fact }));
export const remove = (facts: readonly Fact[]): Op[] => facts.map((fact) => ({ do: "remove", fact }));
/** Takes away what `add` made. */
export const undo = (facts: readonly Fact[]): Op[] => remove(facts).reverse();
