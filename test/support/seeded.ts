/** The same seed gives the same numbers, so that a failure can be run again. */

/** Numbers from 0 to 1 (the minimal standard generator of Park and Miller, CACM 31, 1988). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
