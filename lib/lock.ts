/** Work with the same key runs one after another, in the order of asking; different keys run side by side. */
export interface KeyedLock {
  <T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Whether work with this key runs or waits now. */
  held(key: string): boolean;
}

export function keyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>();
  const lock = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const mine = (tails.get(key) ?? Promise.resolve()).then(work, work);
    tails.set(key, mine);
    try {
      return await mine;
    } finally {
      if (tails.get(key) === mine) tails.delete(key);
    }
  };
  return Object.assign(lock, { held: (key: string) => tails.has(key) });
}

/** Work that may run side by side with its like, and work that may run only when none of the first kind does. */
export interface Gate {
  /** Waits until nobody is alone. */
  together<T>(work: () => Promise<T>): Promise<T>;
  /** Does nothing, and says so with false, while others are at work. */
  alone(work: () => Promise<void>): Promise<boolean>;
}

export function gate(): Gate {
  let inside = 0;
  let alone: Promise<void> | undefined;
  return {
    async together(work) {
      while (alone !== undefined) await alone;
      inside++;
      try {
        return await work();
      } finally {
        inside--;
      }
    },
    async alone(work) {
      if (inside > 0 || alone !== undefined) return false;
      const working = work();
      alone = working.catch(() => {});
      try {
        await working;
        return true;
      } finally {
        alone = undefined;
      }
    },
  };
}
