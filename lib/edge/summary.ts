/** The fewest prefixes that cover exactly the same addresses. */
import { bitsOf, family, fromNumber, lengthOf, type Prefix, rangeOf, withLength } from "#lib/address.ts";

export function summary(prefixes: readonly Prefix[]): Prefix[] {
  return ([4, 6] as const).flatMap((of) => {
    const bits = bitsOf(of);
    const kept: { first: bigint; length: number }[] = [];
    const sorted = prefixes
      .filter((prefix) => family(prefix) === of)
      .map((prefix) => ({ first: rangeOf(prefix).first, length: lengthOf(prefix) }))
      .sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : a.length - b.length));
    const sizeOf = (length: number): bigint => 1n << BigInt(bits - length);
    for (const next of sorted) {
      const last = kept.at(-1);
      if (last !== undefined && next.first < last.first + sizeOf(last.length)) continue;
      kept.push(next);
      // Two halves of one are that one, and so on upwards.
      for (;;) {
        const [lower, upper] = [kept.at(-2), kept.at(-1)];
        if (lower === undefined || upper === undefined || lower.length !== upper.length) break;
        const whole = { first: lower.first, length: lower.length - 1 };
        if (upper.first !== lower.first + sizeOf(lower.length) || lower.first % sizeOf(whole.length) !== 0n) break;
        kept.splice(-2, 2, whole);
      }
    }
    return kept.map(({ first, length }) => withLength(fromNumber(first, of), length));
  });
}
