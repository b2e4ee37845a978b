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
