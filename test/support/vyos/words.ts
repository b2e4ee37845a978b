/** Reading a router's configuration by its words. */
import { nodeAt, type Tree } from "#lib/edge/tree.ts";

export interface Words {
  /** The only, or the first, value of a leaf. */
  one(...path: string[]): string | undefined;
  /** Names of what is below. */
  names(...path: string[]): string[];
  has(...path: string[]): boolean;
  at(...path: string[]): Words;
}

export function words(tree: Tree | undefined): Words {
  const below = (path: readonly string[]): Tree | undefined => tree && nodeAt(tree, path);
  return {
    one: (...path) => below(path)?.keys().next().value,
    names: (...path) => [...(below(path)?.keys() ?? [])],
    has: (...path) => below(path) !== undefined,
    at: (...path) => words(below(path)),
  };
}

/** A word of a line where there is a value for it. */
export const say = (word: string, value: string | undefined): string =>
  value === undefined ? "" : ` ${word} ${value}`;
