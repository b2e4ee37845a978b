/**
 * The one comparison behind ADD, DEL, CHECK, GC and repair.
 * Pure: what is wanted and what is there, in; operations, out.
 */
import { type Fact, identity } from "./fact.ts";

export type Op =
  | { readonly do: "add"; readonly fact: Fact }
  /** `fact` is the wanted state, `was` what stands there now. */
  | { readonly do: "change"; readonly fact: Fact; readonly was: Fact }
  | { readonly do: "remove"; readonly fact: Fact };

/** Properties that are instructions for making a thing and cannot be read back from it. */
const NEVER_COMPARED: ReadonlySet<string> = new Set([
  "announce",
  "mtuFrom",
  "underlay",
  "noPrefixRoute",
  "validSeconds",
  "onlink",
  "lent",
  "before",
]);

/** True when every property that `want` names has that value in `have`. */
function satisfied(want: Fact, have: Fact): boolean {
  const found = have as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(want))
    if (!NEVER_COMPARED.has(key) && !same(value, found[key])) return false;
  return true;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}

/**
 * What `want` lacks, for a `have` that was asked for at the identities of `want`: a removal could then only mean an
 * unwanted twin, which is not ours to take. A VLAN too many on a port of ours is: what passes there is not the port's.
 */
export const lacking = (want: readonly Fact[], have: readonly Fact[]): Op[] =>
  diff(want, have).filter((op) => op.do !== "remove" || op.fact.type === "port-vlan");

/**
 * Operations that lead from `have` to `want`; `[]` when nothing is to do. Adds come first, in the order of `want`, in which
 * several may want the same.
 */
export function diff(want: readonly Fact[], have: readonly Fact[]): Op[] {
  const there = new Map(have.map((fact) => [identity(fact), fact]));
  const wanted = new Set<string>();
  const ops: Op[] = [];
  for (const fact of want) {
    const id = identity(fact);
    if (wanted.has(id)) continue;
    wanted.add(id);
    const was = there.get(id);
    there.delete(id);
    if (was === undefined) ops.push({ do: "add", fact });
    else if (!satisfied(fact, was)) ops.push({ do: "change", fact, was });
  }
  for (const fact of there.values()) ops.push({ do: "remove", fact });
  return ops;
}
