/** How long to wait before the next try: longer after each failure, and never the same for many nodes. */
export interface Backoff {
  /** Milliseconds. */
  next(): number;
  reset(): void;
}

/** Doubles from `firstMs` to `longestMs`; of each, a random part between a half and the whole. */
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
      const ms = wholeMs * (0.5 + random() / 2);
      wholeMs = Math.min(longestMs, wholeMs * 2);
      return ms;
    },
    reset: () => {
      wholeMs = firstMs;
    },
  };
}
