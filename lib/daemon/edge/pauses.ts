/** Pauses that meet: what one says, and what is still to be undone, is not lost by another. */
import type { Line } from "#lib/edge/path.ts";
import type { Pause } from "#lib/edge/record.ts";
import type { Memory } from "./memory.ts";

/** A person's; what was to be undone still is. @returns what is there now @throws SelvedgeError store */
export const pauseFor = (memory: Memory, asked: Pause): Promise<Pause> =>
  memory.changePause((there) => (there?.backTo === undefined ? asked : joined(asked, there)));

/** Of a push that did harm; somebody may have paused the router meanwhile. @throws SelvedgeError store */
export const pauseAfter = (memory: Memory, harmed: Pause): Promise<Pause> =>
  memory.changePause((there) => (there === undefined ? harmed : joined(harmed, there)));

function joined(pause: Pause, there: Pause): Pause {
  const revisions = [pause.backTo, there.backTo].filter((each) => each !== undefined);
  return {
    ...pause,
    why: `${pause.why}; by ${there.by}: ${there.why}`,
    ...(revisions.length === 0 ? {} : { backTo: Math.min(...revisions) }),
  };
}

/**
 * What was to be undone is, but for pieces that the router does not take as they were.
 * @param refused `at` of each @returns what is there now: somebody may have resumed, or wants to go back further
 * @throws SelvedgeError store
 */
export function carriedOut(memory: Memory, pause: Pause, refused: readonly Line[]): Promise<Pause | undefined> {
  const { backTo: _, ...done } = pause;
  const left = refused.length === 0 ? "" : `; it does not take ${refused.join(", ")} as before, which stays as it is`;
  const ended: Pause = { ...done, why: pause.why + left };
  return memory.changePause((there) => (there?.atMs === pause.atMs && there.backTo === pause.backTo ? ended : there));
}
