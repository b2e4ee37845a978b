/** Whether a router is as well after a push as it was before, by its own word. */
import type { Step } from "#lib/edge/change.ts";
import type { Piece } from "#lib/edge/piece.ts";
import type { EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { harm, lasting, type Vitals, vitalSigns, vitalsOf } from "#lib/edge/vitals.ts";
import { isFailure } from "#lib/errors.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";

export interface Patience {
  /** For how long sessions may be down after a push, ms; 0: nothing is asked. */
  readonly verifyMs: number;
  readonly wait: (ms: number) => Promise<void>;
}

export interface Pushed {
  readonly view: EdgeView;
  readonly wanted: readonly Piece[];
  readonly steps: readonly Step[];
}

const EVERY_MS = 1_000;

/** What it refuses to tell, as without BGP, is nothing. @throws SelvedgeError router */
export async function vitals(router: Vyos, spec: RouterSpec): Promise<Vitals> {
  const answers: string[] = [];
  for (const path of vitalSigns(spec))
    try {
      answers.push(await router.show(path));
    } catch (error) {
      if (!isFailure(error, "router") || error.failure.why !== "refused") throw error;
    }
  return vitalsOf(answers);
}

/** What of it was up and should be, and stays down; undefined: nothing. */
export async function verified(
  router: Vyos,
  spec: RouterSpec,
  before: Vitals,
  { view, wanted, steps }: Pushed,
  { verifyMs, wait }: Patience,
): Promise<string | undefined> {
  const expected = lasting(before, view, wanted, steps);
  if (expected.sessions.size + expected.routes.size === 0) return undefined;
  for (let waitedMs = 0; ; waitedMs += EVERY_MS) {
    const found = await harmNow(router, spec, expected);
    if (found === undefined || waitedMs >= verifyMs) return found;
    await wait(EVERY_MS);
  }
}

async function harmNow(router: Vyos, spec: RouterSpec, expected: Vitals): Promise<string | undefined> {
  try {
    return harm(expected, await vitals(router, spec));
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    return `it does not tell any more what works: ${error.message}`;
  }
}
