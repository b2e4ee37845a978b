/** How long to wait before the next try: longer after each failure, and never the same for many nodes. */
export interface Backoff {
  /** Milliseconds. */
  next(): number;
  reset(): void;
}

/** A random part of the wait between a half and the whole, so that many who failed together do not keep step. */
export const partOf = (wholeMs: number, random: () => number): number => wholeMs * (0.5 + random() / 2);

/** Doubles from `firstMs` to `longestMs`, and `partOf` it. */
export function backoff({
  firstMs,
  longestMs,
  random,
}: {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly random: () => number;
}): Backoff {
  let wholeMs = firstMs;
  return {
    next() {
      const ms = partOf(wholeMs, random);
      wholeMs = Math.min(longestMs, wholeMs * 2);
      return ms;
    },
    reset: () => {
      wholeMs = firstMs;
    },
  };
}
