/**
 * Addresses between the node and tenants' routers: two for each tenant and family, on the node alone. They follow from
 * the tenants' names, so that nothing is stored and a tenant keeps its own while others come and go.
 */
import { createHash } from "node:crypto";
import { type Address, type Family, family, fromNumber, type Prefix, rangeOf } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** Both ends of a tenant's uplink, for each family that there is a range of. */
export type Transfer = readonly { readonly family: Family; readonly node: Address; readonly router: Address }[];

/** Prefix length of a pair: RFC 3021 for IPv4, RFC 6164 for IPv6. */
export const PAIR_LENGTH = { 4: 31, 6: 127 } as const satisfies Record<Family, number>;

/** @throws SelvedgeError config-invalid: a range with fewer pairs than there are tenants */
export function transfers(tenants: readonly string[], ranges: readonly Prefix[]): Map<string, Transfer> {
  const ends = new Map<string, Transfer[number][]>(tenants.map((name) => [name, []]));
  for (const range of ranges) {
    const { first, last } = rangeOf(range);
    const pairs = (last - first + 1n) / 2n;
    if (pairs < BigInt(tenants.length))
      throw new SelvedgeError(
        { kind: "config-invalid", field: "routers.transferRanges" },
        `routers.transferRanges: ${range} has room for ${pairs} tenants, and there are ${tenants.length}`,
      );
    const taken = new Set<bigint>();
    for (const name of tenants.toSorted()) {
      let pair = hash(name) % pairs;
      while (taken.has(pair)) pair = (pair + 1n) % pairs;
      taken.add(pair);
      const node = first + 2n * pair;
      const of = family(range);
      ends.get(name)?.push({ family: of, node: fromNumber(node, of), router: fromNumber(node + 1n, of) });
    }
  }
  return ends;
}

const hash = (name: string): bigint => createHash("sha256").update(`transfer\0${name}`).digest().readBigUInt64BE();
