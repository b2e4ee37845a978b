/**
 * Pools with the same addresses on networks that are not kept apart. Networks of different tenants may overlap: each
 * tenant has a router of its own.
 */
import { family, type Prefix, prefix, rangeOf } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp } from "./complaint.ts";

/** Where a pool's addresses are routed: the node itself. */
export const NO_TENANT = "";

export function overlaps(root: unknown): Complaint[] {
  const pools = listAt(root, "pools").map((pool) => ({
    name: lookUp(pool, ["name"]),
    subnets: subnetsOf(lookUp(pool, ["ranges"])),
  }));
  const complaints: Complaint[] = [];
  pools.forEach((pool, i) => {
    pools.slice(0, i).forEach((other, j) => {
      const pair = firstOverlap(pool.subnets, other.subnets);
      if (pair === undefined || pool.name === other.name) return;
      const tenants = tenantsOf(root, other.name);
      const shared = [...tenantsOf(root, pool.name)].find((tenant) => tenants.has(tenant));
      if (shared === undefined) return;
      const where = shared === NO_TENANT ? "networks without a tenant" : `networks of tenant "${shared}"`;
      const text = `${pair[0]} overlaps ${pair[1]} of pool "${String(other.name)}", and both serve ${where}; use other addresses, or networks of different tenants`;
      complaints.push({ ...complaint(["pools", i, "ranges"], text), against: ["pools", j] });
    });
  });
  return complaints;
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
export function tenantsOf(root: unknown, pool: unknown): Set<string> {
  const fallback = lookUp(root, ["defaultPool"]) ?? "default";
  const ruled = listAt(root, "poolRules")
    .filter((rule) => lookUp(rule, ["pool"]) === pool)
    .map((rule) => lookUp(rule, ["network"]))
    .filter((network) => typeof network === "string");
  const tenants = new Set(
    listAt(root, "networks")
      .filter(
        (network) => poolsOf(network, fallback).includes(pool) || ruled.includes(String(lookUp(network, ["name"]))),
      )
      .map((network) => String(lookUp(network, ["tenant"]) ?? NO_TENANT)),
  );
  return tenants.size === 0 || pool === fallback ? tenants.add(NO_TENANT) : tenants;
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
  for (const one of some)
    for (const other of others)
      if (family(one) === family(other) && isMeant(rangeOf(one), rangeOf(other))) return [one, other];
  return undefined;
}
