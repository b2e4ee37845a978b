/** When a router is asked again after it failed. */
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** Twice as long after each failure in a row, from a second to a minute, and by a half shorter or longer, so that nodes and routers do not keep step. */
export const backoffMs = (failures: number, random: () => number): number =>
  Math.round(Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + random()));
