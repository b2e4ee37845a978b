/** Members of lists with what another one has already. Looks past anything whose shape is wrong. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import type { Path } from "./yaml.ts";

/** Indexes of those whose key is that of one before; without a key it is nobody's. */
export function twice(all: readonly unknown[], keyOf: (member: unknown) => unknown): number[] {
  const seen = new Set<unknown>();
  return all.flatMap((member, i) => {
    const key = keyOf(member);
    if (key === undefined || !seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [i];
  });
}

/** @param path of the list */
export const sameNames = (all: readonly unknown[], path: Path): Complaint[] =>
  same(all, path, "name", "is the name of another one, too");

/** @param path of the list @param what its members are: `leg` */
export const sameInterfaces = (all: readonly unknown[], path: Path, what: string): Complaint[] =>
  same(all, path, "interface", `is that of another ${what}, too`);

function same(all: readonly unknown[], path: Path, key: string, words: string): Complaint[] {
  const textOf = (member: unknown): string | undefined => {
    const value = lookUp(member, [key]);
    return typeof value === "string" ? value : undefined;
  };
  return twice(all, textOf).map((i) => complaint([...path, i, key], `"${textOf(all[i])}" ${words}`));
}
