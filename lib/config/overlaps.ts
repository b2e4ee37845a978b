/**
 * Pools with the same addresses on networks that are not kept apart. Networks of different tenants may overlap: each
 * tenant has a router of its own.
 */
import { family, type Prefix, prefix, rangeOf } from "#lib/address.ts";
import { meeting } from "#lib/meeting.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp } from "./complaint.ts";

/** Where a pool's addresses are routed: the node itself. */
export const NO_TENANT = "";
const NODE_ONLY: ReadonlySet<string> = new Set([NO_TENANT]);

export function overlaps(root: unknown): Complaint[] {
  const pools = listAt(root, "pools").map((pool) => ({
    name: lookUp(pool, ["name"]),
    subnets: subnetsOf(lookUp(pool, ["ranges"])),
  }));
  const tenantsOf = poolTenants(root);
  const spans = pools.flatMap(({ name, subnets }, of) =>
    [...tenantsOf(name)].flatMap((tenant) =>
      subnets.map((subnet) => ({ of, place: `${family(subnet)} ${tenant}`, ...rangeOf(subnet) })),
    ),
  );
  return meeting(spans).flatMap(([i, j]) => {
    const [pool, other] = [pools[i], pools[j]];
    const pair = firstOverlap(pool?.subnets ?? [], other?.subnets ?? []);
    const theirs = tenantsOf(other?.name);
    const shared = [...tenantsOf(pool?.name)].find((tenant) => theirs.has(tenant));
    if (pair === undefined || shared === undefined || pool?.name === other?.name) return [];
    const where = shared === NO_TENANT ? "networks without a tenant" : `networks of tenant "${shared}"`;
    const text = `${pair[0]} overlaps ${pair[1]} of pool "${String(other?.name)}", and both serve ${where}; use other addresses, or networks of different tenants`;
    return [{ ...complaint(["pools", i, "ranges"], text), against: ["pools", j] }];
  });
}

export const listAt = (root: unknown, key: string): readonly unknown[] => {
  const found = lookUp(root, [key]);
  // What is empty in YAML is a hole here.
  return Array.isArray(found) ? [...found] : [];
};

/** What a network says of where its addresses come from. */
export function poolsOf(network: unknown, fallback: unknown): readonly unknown[] {
  const several = listAt(network, "pools");
  return several.length > 0 ? several : [lookUp(network, ["pool"]) ?? fallback];
}

/**
 * A pool that no network names, nor a rule for a network, serves whoever asks for it by name, on the node itself; so does
 * the default pool.
 */
export function poolTenants(root: unknown): (pool: unknown) => ReadonlySet<string> {
  const fallback = lookUp(root, ["defaultPool"]) ?? "default";
  const rules = Map.groupBy(listAt(root, "poolRules"), (rule) => lookUp(rule, ["network"]));
  const named = new Map<unknown, Set<string>>();
  for (const network of listAt(root, "networks")) {
    const name = lookUp(network, ["name"]);
    const tenant = String(lookUp(network, ["tenant"]) ?? NO_TENANT);
    const ruled = typeof name === "string" ? (rules.get(name) ?? []) : [];
    for (const pool of [...poolsOf(network, fallback), ...ruled.map((rule) => lookUp(rule, ["pool"]))])
      named.set(pool, (named.get(pool) ?? new Set()).add(tenant));
  }
  named.set(fallback, (named.get(fallback) ?? new Set()).add(NO_TENANT));
  return (pool) => named.get(pool) ?? NODE_ONLY;
}

/** Subnets of host-local's ranges. */
export const subnetsOf = (ranges: unknown): Prefix[] =>
  prefixesOf((Array.isArray(ranges) ? ranges.flat() : []).map((range: unknown) => lookUp(range, ["subnet"])));

/** What cannot be read is another one's complaint. */
export const prefixesOf = (values: readonly unknown[]): Prefix[] =>
  values.flatMap((value) => readable(() => prefix(value)) ?? []);

type Pair = [Prefix, Prefix];

export const firstOverlap = (some: readonly Prefix[], others: readonly Prefix[]): Pair | undefined =>
  firstPair(some, others, (one, other) => one.first <= other.last && other.first <= one.last);

/** The first of some that is one of the others, or a part of it. */
export const firstWithin = (some: readonly Prefix[], others: readonly Prefix[]): Pair | undefined =>
  firstPair(some, others, (one, other) => one.first >= other.first && one.last <= other.last);

type Range = ReturnType<typeof rangeOf>;

function firstPair(
  some: readonly Prefix[],
  others: readonly Prefix[],
  isMeant: (one: Range, other: Range) => boolean,
): Pair | undefined {
  const there = others.map((prefix) => ({ prefix, family: family(prefix), range: rangeOf(prefix) }));
  for (const one of some) {
    const range = rangeOf(one);
    const other = there.find((each) => each.family === family(one) && isMeant(range, each.range));
    if (other !== undefined) return [one, other.prefix];
  }
  return undefined;
}
