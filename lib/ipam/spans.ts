/**
 * A set of numbers as sorted, disjoint, inclusive spans: a /64 with nothing taken costs as much as a /30.
 * Looking up and changing take a binary search; memory grows with the number of gaps, never with the size.
 */
export interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

export interface Spans {
  readonly size: bigint;
  has(n: bigint): boolean;
  /** The least member that is not below `n`. */
  from(n: bigint): bigint | undefined;
  /** False when it was a member already. */
  add(n: bigint): boolean;
  /** False when it was no member. */
  remove(n: bigint): boolean;
  /** Makes every number of the span a member. */
  put(span: Span): void;
  /** Takes every member of the span away. */
  cut(span: Span): void;
  /** Its members in the span. */
  within(span: Span): Span[];
  list(): Span[];
}

export function spans(initial: Iterable<Span> = []): Spans {
  const held: Span[] = [];
  let size = 0n;

  /** Index of the first span that ends at or after `n`. */
  const index = (n: bigint): number => {
    let low = 0;
    let high = held.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((held[middle] as Span).last < n) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const has = (n: bigint): boolean => {
    const at = held[index(n)];
    return at !== undefined && at.first <= n;
  };

  const cut = ({ first, last }: Span): void => {
    const start = index(first);
    const kept: Span[] = [];
    let end = start;
    for (let at = held[end]; at !== undefined && at.first <= last; at = held[++end]) {
      if (at.first < first) kept.push({ first: at.first, last: first - 1n });
      if (at.last > last) kept.push({ first: last + 1n, last: at.last });
      size -= at.last - at.first + 1n;
    }
    for (const span of kept) size += span.last - span.first + 1n;
    held.splice(start, end - start, ...kept);
  };

  const put = (span: Span): void => {
    cut(span);
    const at = index(span.first);
    const before = held[at - 1];
    const after = held[at];
    const joinsBefore = before !== undefined && before.last === span.first - 1n;
    const joinsAfter = after !== undefined && after.first === span.last + 1n;
    held.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsAfter), {
      first: joinsBefore ? before.first : span.first,
      last: joinsAfter ? after.last : span.last,
    });
    size += span.last - span.first + 1n;
  };

  for (const span of initial) if (span.first <= span.last) put(span);

  return {
    get size() {
      return size;
    },
    has,
    from(n) {
      const at = held[index(n)];
      return at !== undefined && at.first <= n ? n : at?.first;
    },
    add(n) {
      if (has(n)) return false;
      put({ first: n, last: n });
      return true;
    },
    remove(n) {
      if (!has(n)) return false;
      cut({ first: n, last: n });
      return true;
    },
    put,
    cut,
    within(span) {
      const found: Span[] = [];
      for (let i = index(span.first), at = held[i]; at !== undefined && at.first <= span.last; at = held[++i]) {
        let { first, last } = at;
        if (first < span.first) first = span.first;
        if (last > span.last) last = span.last;
        found.push({ first, last });
      }
      return found;
    },
    list: () => [...held],
  };
}
