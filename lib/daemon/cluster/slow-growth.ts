/**
 * A size that is smaller at once, and larger only when it has been so for a while: the others have to hear of it first.
 * Who sends a larger packet before that is told that it does not pass, and keeps that in mind for ten minutes
 * (Documentation/networking/ip-sysctl.rst, mtu_expires, v6.12).
 */
export interface SlowGrowth {
  /** As it is now. */
  seen(size: number): void;
  /** As it counts. */
  readonly size: number;
}

/** @param clockMs monotonic */
export function slowGrowth(first: number, afterMs: number, clockMs: () => number): SlowGrowth {
  let counts = first;
  let larger: { readonly size: number; readonly sinceMs: number } | undefined;
  const settle = (): void => {
    if (larger === undefined || clockMs() - larger.sinceMs < afterMs) return;
    counts = larger.size;
    larger = undefined;
  };
  return {
    seen(size) {
      settle();
      if (size <= counts) {
        counts = size;
        larger = undefined;
      } else if (size !== larger?.size) larger = { size, sinceMs: clockMs() };
    },
    get size() {
      settle();
      return counts;
    },
  };
}
