/** Addresses as VyOS's groups have them: those that follow one another as `10.66.0.5-10.66.0.9`, exactly the same ones. */
import { type Address, family, fromNumber, toNumber } from "#lib/address.ts";

/** @param addresses of one family */
export function runs(addresses: readonly Address[]): string[] {
  const [any] = addresses;
  if (any === undefined) return [];
  const found: { first: bigint; last: bigint }[] = [];
  for (const n of [...new Set(addresses.map(toNumber))].sort((a, b) => (a < b ? -1 : 1))) {
    const run = found.at(-1);
    if (run !== undefined && run.last + 1n === n) run.last = n;
    else found.push({ first: n, last: n });
  }
  const text = (n: bigint): Address => fromNumber(n, family(any));
  return found.map(({ first, last }) => (first === last ? text(first) : `${text(first)}-${text(last)}`));
}
