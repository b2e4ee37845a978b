/** nftables in memory: tables as the text that made them, elements by set. */
import type { ElementFact, TableFact } from "#lib/state/fact.ts";
import { type SetShape, setShape } from "#lib/state/sets.ts";
import { encodeParts } from "../nft/parts.ts";
import { refusal } from "./refusal.ts";

interface Table {
  fact: TableFact;
  /** By set and key. */
  readonly elements: Map<string, ElementFact>;
}

export type Ruleset = Map<string, Table>;

const tableKey = (of: { readonly family: string }, name: string): string => `${of.family} ${name}`;
const elementKey = (fact: ElementFact): string => `${fact.set} ${fact.key.join(" . ")}`;

/** Chains and rules are replaced by what `text` says; elements stay. */
export function ensureTable(ruleset: Ruleset, fact: TableFact): void {
  const there = ruleset.get(tableKey(fact, fact.name));
  if (there === undefined) ruleset.set(tableKey(fact, fact.name), { fact, elements: new Map() });
  else there.fact = fact;
}

export const findTable = (ruleset: Ruleset, family: string, name: string): TableFact | undefined =>
  ruleset.get(tableKey({ family }, name))?.fact;

export const deleteTable = (ruleset: Ruleset, family: string, name: string): boolean =>
  ruleset.delete(tableKey({ family }, name));

/** @throws SelvedgeError kernel ENOENT (no such table or set), EINVAL (not of the set's shape) */
export function ensureElement(ruleset: Ruleset, fact: ElementFact): void {
  const call = `add element ${fact.set}`;
  const table = ruleset.get(tableKey(fact, fact.table));
  const shape = setShape(fact.family, fact.table, fact.set);
  if (table === undefined || shape === undefined) throw refusal(call, "ENOENT");
  if (!fits(shape, fact)) throw refusal(call, "EINVAL");
  table.elements.set(elementKey(fact), fact);
}

function fits(shape: SetShape, fact: ElementFact): boolean {
  if ((shape.value === undefined) !== (fact.value === undefined)) return false;
  encodeParts(shape.key, fact.key);
  if (shape.value !== undefined && fact.value !== undefined) encodeParts(shape.value, fact.value);
  return true;
}

export const findElement = (ruleset: Ruleset, fact: ElementFact): ElementFact | undefined =>
  ruleset.get(tableKey(fact, fact.table))?.elements.get(elementKey(fact));

export const removeElement = (ruleset: Ruleset, fact: ElementFact): boolean | undefined =>
  ruleset.get(tableKey(fact, fact.table))?.elements.delete(elementKey(fact));

const own = (ruleset: Ruleset) => [...ruleset.values()].filter(({ fact }) => fact.name === "selvedge");

export const ownTables = (ruleset: Ruleset): TableFact[] => own(ruleset).map(({ fact }) => fact);

export const ownElements = (ruleset: Ruleset): ElementFact[] =>
  own(ruleset).flatMap(({ elements }) => [...elements.values()]);
