/** Prefixes as nft takes them in one interval set: none inside another, in a fixed order. */
import { addressOf, contains, lengthOf, networkOf, type Prefix, rangeOf } from "#lib/address.ts";

/** Networks that cover the same addresses, without those that lie inside another; ordered by first address. */
export function disjoint(prefixes: readonly Prefix[]): Prefix[] {
  const networks = [...new Set(prefixes.map(networkOf))];
  const inside = (a: Prefix, b: Prefix) => a !== b && lengthOf(a) > lengthOf(b) && contains(b, addressOf(a));
  return networks.filter((a) => !networks.some((b) => inside(a, b))).sort(byFirstAddress);
}

function byFirstAddress(a: Prefix, b: Prefix): number {
  const [left, right] = [rangeOf(a).first, rangeOf(b).first];
  return left < right ? -1 : left > right ? 1 : 0;
}
