/** Whether a router is as well after a push as it was before, by its own word. */
import type { Prefix } from "#lib/address.ts";
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

const EVERY_MS = 1_000;

/** Undefined where the router does not tell. */
export async function vitals(router: Vyos, spec: RouterSpec): Promise<Vitals | undefined> {
  const answers: string[] = [];
  try {
    for (const path of vitalSigns(spec)) answers.push(await router.show(path));
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    return undefined;
  }
  return vitalsOf(answers);
}

/** What of it was up and should be, and stays down; undefined: nothing, or nobody knows. */
export async function verified(
  router: Vyos,
  spec: RouterSpec,
  before: Vitals | undefined,
  { view, wanted }: { readonly view: EdgeView; readonly wanted: readonly Piece[] },
  { verifyMs, wait }: Patience,
): Promise<string | undefined> {
  if (before === undefined) return undefined;
  const expected = lasting(before, view, destinations(wanted));
  if (expected.sessions.size + expected.routes.size === 0) return undefined;
  for (let waitedMs = 0; ; waitedMs += EVERY_MS) {
    const now = await vitals(router, spec);
    const found = now && harm(expected, now);
    if (found === undefined || waitedMs >= verifyMs) return found;
    await wait(EVERY_MS);
  }
}

/** `protocols static route 10.66.0.0/16` */
const destinations = (wanted: readonly Piece[]): Set<Prefix> =>
  new Set(wanted.flatMap(({ at }) => (at.includes("static") ? [at.at(-1) as Prefix] : [])));
