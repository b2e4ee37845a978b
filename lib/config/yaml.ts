/** YAML as a value whose places can still be told: what an error needs to name a line. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";

export type Path = readonly PropertyKey[];

/** One thing that is wrong. `line` and `column` count from 1; both are 0 when the place is unknown. */
export interface Mistake {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface Yaml {
  readonly value: unknown;
  readonly mistakes: readonly Mistake[];
  /** Where a path, or the deepest part of it that exists, is written. With `key`: where that key of the object stands. */
  place(path: Path, key?: string): { line: number; column: number };
}

/** Aliases that one document may expand to: no configuration needs many, and a "billion laughs" does. */
const MOST_ALIASES = 100;

export function readYaml(text: string): Yaml {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const at = (offset: number | undefined) => {
    const { line, col } = counter.linePos(offset ?? 0);
    return { line, column: col };
  };
  const place = (path: Path, key?: string) =>
    at(offsetOf(document.contents, key === undefined ? path : [...path, key]));
  const syntax = document.errors.map(({ message, pos }) => ({ ...at(pos[0]), text: message }));
  if (syntax.length > 0) return { value: undefined, mistakes: syntax, place };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MOST_ALIASES, reviver: withoutNull });
    return { value, mistakes: [], place };
  } catch (error) {
    // yaml throws ReferenceError for aliases without an anchor and for too many of them.
    if (!(error instanceof ReferenceError)) throw error;
    return { value: undefined, mistakes: [{ line: 0, column: 0, text: error.message }], place };
  }
}

/** `log:` with nothing below is an absent setting, as in lib/parse.ts. */
const withoutNull = (_key: unknown, value: unknown): unknown => value ?? undefined;

function offsetOf(contents: Node | null, path: Path): number | undefined {
  let node: unknown = contents;
  let offset = contents?.range?.[0];
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const member = node.items[Number(step)] as Node | undefined;
      if (member === undefined) return offset;
      offset = member.range?.[0] ?? offset;
      node = member;
    } else return offset;
  }
  return offset;
}
