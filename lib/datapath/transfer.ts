/**
 * Addresses between the node and tenants' routers: two for each tenant and family, on the node alone. They follow from
 * the tenant's name; of two with the same the one that comes later takes the next that are free.
 */
import { createHash } from "node:crypto";
import { type Address, contains, type Family, family, fromNumber, type Prefix, rangeOf } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** Both ends of a tenant's uplink, for each family that there is a range of. */
export type Transfer = readonly { readonly family: Family; readonly node: Address; readonly router: Address }[];

/** Prefix length of a pair: RFC 3021 for IPv4, RFC 6164 for IPv6. */
export const PAIR_LENGTH = { 4: 31, 6: 127 } as const satisfies Record<Family, number>;

export interface TransferWishes {
  readonly ranges: readonly Prefix[];
  /** What the tenant has: it stays, so far as it is of the ranges. */
  readonly kept?: Transfer;
  /** Those of other tenants. */
  readonly taken: readonly Transfer[];
}

/** @throws SelvedgeError config-invalid: all pairs of a range are other tenants' */
export function transferFor(tenant: string, { ranges, kept = [], taken }: TransferWishes): Transfer {
  const others = new Set(taken.flatMap((ends) => ends.map(({ node }) => node)));
  return ranges.map((range) => {
    const has = kept.find(({ node }) => contains(range, node) && !others.has(node));
    return has ?? freePair(tenant, range, others);
  });
}

function freePair(tenant: string, range: Prefix, others: ReadonlySet<Address>): Transfer[number] {
  const { first, last } = rangeOf(range);
  const pairs = (last - first + 1n) / 2n;
  const start = hash(tenant) % pairs;
  const of = family(range);
  // One more than others have is enough to find one that nobody has.
  const most = pairs <= others.size ? pairs : BigInt(others.size) + 1n;
  for (let i = 0n; i < most; i++) {
    const number = first + 2n * ((start + i) % pairs);
    const node = fromNumber(number, of);
    if (!others.has(node)) return { family: of, node, router: fromNumber(number + 1n, of) };
  }
  throw new SelvedgeError(
    { kind: "config-invalid", field: "routers.transferRanges" },
    `routers.transferRanges: ${range} has room for ${pairs} tenants' routers, and all stand; use a larger range`,
  );
}

const hash = (name: string): bigint => createHash("sha256").update(`transfer\0${name}`).digest().readBigUInt64BE();
