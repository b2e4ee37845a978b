/** Whether a router is as well after a push as it was before, by its own word and by what is reached through it. */
import type { End, Reaches } from "#lib/echo/tcp.ts";
import type { Step } from "#lib/edge/change.ts";
import type { Piece } from "#lib/edge/piece.ts";
import type { EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { harm, lasting, type Vitals, vitalSigns, vitalsOf } from "#lib/edge/vitals.ts";
import { isFailure } from "#lib/errors.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";

export interface Patience {
  /** For how long what was up may be down after a push, ms; 0: nothing is asked. */
  readonly verifyMs: number;
  readonly wait: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
}

export interface Examined {
  readonly router: Vyos;
  readonly spec: RouterSpec;
  /** That are reached through the router. */
  readonly probes: readonly End[];
  readonly reaches: Reaches;
}

export interface Health {
  readonly vitals: Vitals;
  readonly reached: readonly End[];
}

export interface Pushed {
  readonly view: EdgeView;
  readonly wanted: readonly Piece[];
  readonly steps: readonly Step[];
}

const EVERY_MS = 1_000;

/** @throws SelvedgeError router */
export async function healthOf({ router, spec, probes, reaches }: Examined): Promise<Health> {
  const first = await reached(probes, reaches);
  // What is not reached now is not missed later: a packet may have been lost, or this node be busy.
  const second = await reached(
    probes.filter((end) => !first.includes(end)),
    reaches,
  );
  return { vitals: await vitals(router, spec), reached: [...first, ...second] };
}

/** What it refuses to tell, as without BGP, is nothing. @throws SelvedgeError router */
async function vitals(router: Vyos, spec: RouterSpec): Promise<Vitals> {
  const answers: string[] = [];
  for (const path of vitalSigns(spec))
    try {
      answers.push(await router.show(path));
    } catch (error) {
      if (!isFailure(error, "router") || error.failure.why !== "refused") throw error;
    }
  return vitalsOf(answers);
}

async function reached(ends: readonly End[], reaches: Reaches): Promise<End[]> {
  const found = await Promise.all(ends.map(async (end) => ((await reaches(end)) ? [end] : [])));
  return found.flat();
}

/** What of it was up and should be, and stays down; undefined: nothing. */
export async function verified(
  examined: Examined,
  before: Health,
  { view, wanted, steps }: Pushed,
  { verifyMs, wait, nowMs }: Patience,
): Promise<string | undefined> {
  const expected = { vitals: lasting(before.vitals, view, wanted, steps), reached: before.reached };
  if (expected.vitals.sessions.size + expected.vitals.routes.size + expected.reached.length === 0) return undefined;
  const sinceMs = nowMs();
  let wasSilent = false;
  for (let waitedMs = 0; ; waitedMs += EVERY_MS) {
    // To ask takes time, too; only what was asked after the patience was over says anything of then.
    const isLast = Math.max(waitedMs, nowMs() - sinceMs) >= verifyMs;
    const found = await harmNow(examined, expected);
    if (found === undefined) return undefined;
    const { words, isSilent = false } = found;
    if (isLast && (!isSilent || wasSilent)) return words;
    wasSilent = isSilent;
    await wait(EVERY_MS);
  }
}

interface Harm {
  readonly words: string;
  /** The router did not answer, which may happen once. */
  readonly isSilent?: true;
}

async function harmNow({ router, spec, reaches }: Examined, expected: Health): Promise<Harm | undefined> {
  const ends = await reached(expected.reached, reaches);
  const lost = expected.reached.filter((end) => !ends.includes(end));
  // As with sessions: one may end at the moment of a push, and is no fault of it.
  if (2 * lost.length > expected.reached.length)
    return {
      words: `of ${expected.reached.length} probes ${lost.length} get no answer any more: ${lost.map(endText).join(", ")}`,
    };
  if (expected.vitals.sessions.size + expected.vitals.routes.size === 0) return undefined;
  try {
    const words = harm(expected.vitals, await vitals(router, spec));
    return words === undefined ? undefined : { words };
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    return { words: `it does not tell any more what works: ${error.message}`, isSilent: true };
  }
}

const endText = ({ address, port }: End): string => `${address.includes(":") ? `[${address}]` : address}:${port}`;
