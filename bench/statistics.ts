/** What is said of a series of measurements. */
export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly least: number;
}

/** Nearest rank: the least value that at least `share` (above 0, up to 1) of all do not exceed. @throws RangeError without values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.ceil(sorted.length * share) - 1];
  if (found === undefined) throw new RangeError("no values to take a quantile of");
  return found;
}

/** @throws RangeError without values */
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** @throws RangeError without values */
export const summary = (values: readonly number[]): Summary => ({
  count: values.length,
  p50: median(values),
  p99: quantile(values, 0.99),
  least: Math.min(...values),
});

export const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
