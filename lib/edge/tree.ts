/** A router's configuration as it answers it: nodes by name; a leaf's values are nodes without any below. */
import { type Found, refuse } from "#lib/parse.ts";
import { lineOf, type Path } from "./path.ts";

export type Tree = Map<string, Tree>;

/**
 * Reads the data of `retrieve showConfig`: an object is a node, a text the value of a leaf, a list several values of one,
 * and `{}` a node or leaf with nothing below. @throws SelvedgeError config-invalid naming the place
 */
export function treeOf(found: Found): Tree {
  const { value, path } = found;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(found, "an object");
  return new Map(
    Object.entries(value).map(([name, below]: [string, unknown]) => {
      const place = { path: `${path} ${name}`, value: below };
      if (typeof below === "string") return [name, leaf([below])];
      if (Array.isArray(below)) return [name, leaf(below.map((each: unknown) => textIn(place, each)))];
      return [name, treeOf(place)];
    }),
  );
}

const leaf = (values: readonly string[]): Tree => new Map(values.map((value) => [value, new Map()]));
const textIn = (place: Found, value: unknown): string =>
  typeof value === "string" ? value : refuse(place, "a list of texts");

/** What is at a path. */
export function nodeAt(tree: Tree, path: Path): Tree | undefined {
  let node: Tree | undefined = tree;
  for (const word of path) {
    node = node.get(word);
    if (node === undefined) return undefined;
  }
  return node;
}

/** Paths to everything that has nothing below it, at and below a node. */
export function* endsOf(node: Tree, at: Path): Generator<Path> {
  if (node.size === 0 && at.length > 0) yield at;
  for (const [name, below] of node) yield* endsOf(below, [...at, name]);
}

/** Puts a path in. */
export function grow(tree: Tree, path: Path): void {
  let node = tree;
  for (const word of path) {
    const next: Tree = node.get(word) ?? new Map();
    node.set(word, next);
    node = next;
  }
}

/** Takes a path out with everything below it, and leaves what is above, as VyOS does; false when there is no such path. */
export function cut(tree: Tree, path: Path): boolean {
  const last = path.at(-1);
  return last !== undefined && (nodeAt(tree, path.slice(0, -1))?.delete(last) ?? false);
}

/** Everything as lines, in the order of the router. */
export const linesOf = (tree: Tree): string[] => [...endsOf(tree, [])].map(lineOf);
