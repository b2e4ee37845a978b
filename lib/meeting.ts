/** Which of many have numbers in common, without each being compared with every other. */

/** Both ends belong to it. */
export interface Span {
  /** Whose it is: an index. */
  readonly of: number;
  /** Spans of different places never meet. */
  readonly place: string;
  readonly first: bigint;
  readonly last: bigint;
}

/** Each pair once: the later of the two first, in the order of the later ones, and of the earlier ones of each. */
export function meeting(spans: readonly Span[]): [later: number, earlier: number][] {
  const earlierOf = new Map<number, Set<number>>();
  for (const there of Map.groupBy(spans, ({ place }) => place).values()) {
    let open: Span[] = [];
    for (const span of there.toSorted(byFirst)) {
      open = open.filter(({ last }) => last >= span.first);
      for (const { of } of open) {
        if (of === span.of) continue;
        const [earlier, later] = of < span.of ? [of, span.of] : [span.of, of];
        const met = earlierOf.get(later) ?? new Set();
        earlierOf.set(later, met.add(earlier));
      }
      open.push(span);
    }
  }
  return ascending(earlierOf.keys()).flatMap((later) =>
    ascending(earlierOf.get(later) ?? []).map((earlier): [number, number] => [later, earlier]),
  );
}

const byFirst = (one: Span, other: Span): number => (one.first < other.first ? -1 : one.first > other.first ? 1 : 0);

const ascending = (numbers: Iterable<number>): number[] => [...numbers].sort((one, other) => one - other);
