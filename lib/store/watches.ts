/** The watches of a store that go on, for whose end its closing waits. */
export interface Watches {
  /** Resolves with the watch. */
  follow(watching: Promise<void>): Promise<void>;
  /** Resolves when none goes on any more, however they end. */
  ended(): Promise<void>;
}

export function watches(): Watches {
  const all = new Set<Promise<void>>();
  return {
    async follow(watching) {
      all.add(watching);
      try {
        await watching;
      } finally {
        all.delete(watching);
      }
    },
    async ended() {
      await Promise.allSettled(all);
    },
  };
}
