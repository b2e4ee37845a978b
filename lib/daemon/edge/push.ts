/**
 * One push to a router. What it may make ours is written down before the router hears of it, on condition that nobody else
 * has written meanwhile: so nothing of ours is ever forgotten, and of two nodes that both believe to be the writer one stops.
 */
import { isDeepStrictEqual } from "node:util";
import { afterwards, type Change, type Step } from "#lib/edge/change.ts";
import type { Piece } from "#lib/edge/piece.ts";
import { NO_RECORD, type Push, type PushResult, type RouterRecord } from "#lib/edge/record.ts";
import { isFailure, type RouterTrouble, SelvedgeError } from "#lib/errors.ts";
import type { Event } from "#lib/log.ts";
import type { Revision } from "#lib/store/shared.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import { isolate } from "./isolate.ts";
import type { Memory } from "./memory.ts";
import { portions } from "./portions.ts";
import { type LastPush, lastPushOf } from "./router-status.ts";

export interface Kept {
  readonly record: RouterRecord;
  /** Of the record; undefined: there is none yet. */
  readonly revision: Revision | undefined;
}

export interface PushOptions {
  readonly router: Vyos;
  readonly memory: Memory;
  readonly by: string;
  readonly nowMs: () => number;
  /** The router takes the commit back after so long unless it is confirmed; absent: it does not. */
  readonly confirmMinutes?: number;
}

export interface Pushed {
  readonly kept: Kept;
  readonly push: Push;
  /** Why it is not done; the next look at the router tells what is. */
  readonly error?: SelvedgeError;
  /** Pieces that the router does not take, and why; all others were made. */
  readonly refused: readonly { readonly piece: Piece; readonly message: string }[];
  /** The router may take it back unless it is confirmed. */
  readonly isWaiting: boolean;
}

export async function kept(memory: Memory): Promise<Kept> {
  const found = await memory.state();
  return { record: found?.record ?? NO_RECORD, revision: found?.revision };
}

/** @throws SelvedgeError store, not-ready: another node has written meanwhile */
export async function keep(memory: Memory, { revision }: Kept, record: RouterRecord): Promise<Kept> {
  const done = await memory.putState(record, revision);
  if (done !== undefined) return { record, revision: done };
  throw new SelvedgeError({ kind: "not-ready" }, "another node has written to the router meanwhile");
}

/** After these the router is as it was before. */
const NOTHING_HAPPENED: readonly RouterTrouble[] = ["unreachable", "untrusted", "denied", "not-vyos", "locked"];

/** @param wanted what the change comes from @throws SelvedgeError store, not-ready */
export async function push(
  { router, memory, by, nowMs, confirmMinutes }: PushOptions,
  before: Kept,
  change: Change,
  { wanted, why }: { readonly wanted: readonly Piece[]; readonly why: string },
): Promise<Pushed> {
  const atMs = nowMs();
  const { revision: last, unknownMs: earlierMs, ...same } = before.record;
  const failed = await failedBefore(memory, last, change.steps);
  const revision = failed?.revision ?? last + 1;
  const intent = await keep(memory, before, {
    ...same,
    revision,
    owned: afterwards(before.record.owned, change),
    isUnsaved: true,
    unknownMs: atMs,
  });
  const tries = failed === undefined ? {} : { tries: (failed.tries ?? 1) + 1 };
  const entry = { revision, atMs, by, why, steps: change.steps, ...tries };
  await memory.putPush({ ...entry, tookMs: 0, result: "begun", message: "" });

  const { result, error, refused, isUndone, isWaiting } = await send(router, change, wanted, confirmMinutes);
  const done: Push = { ...entry, tookMs: nowMs() - atMs, result, message: error?.message ?? "" };
  await memory.putPush(done);
  // An earlier push, perhaps another node's, may still be going on.
  const unknownMs = result === "unknown" || isWaiting ? atMs : earlierMs;
  const after = await keep(memory, intent, {
    ...same,
    // What did not happen takes no number: the next try has the same.
    revision: isUndone ? last : revision,
    owned: intent.record.owned,
    isUnsaved: true,
    ...(unknownMs === undefined ? {} : { unknownMs }),
  });
  return { kept: after, push: done, ...(error === undefined ? {} : { error }), refused, isWaiting };
}

/** The last push, where it was the same and was not done: a router that takes something never does not fill the history with it. */
async function failedBefore(memory: Memory, last: number, steps: readonly Step[]): Promise<Push | undefined> {
  const newest = (await memory.push(last + 1)) ?? (await memory.push(last));
  const isSame = newest !== undefined && newest.result !== "done" && isDeepStrictEqual(newest.steps, steps);
  return isSame ? newest : undefined;
}

interface Sent {
  readonly result: PushResult;
  readonly error?: SelvedgeError;
  readonly refused: Pushed["refused"];
  /** Nothing happened. */
  readonly isUndone: boolean;
  readonly isWaiting: boolean;
}

async function send(
  router: Vyos,
  change: Change,
  wanted: readonly Piece[],
  confirmMinutes: number | undefined,
): Promise<Sent> {
  const parts = portions(change);
  // Of several commits each would have to be confirmed before the next.
  const options = confirmMinutes === undefined || parts.length > 1 ? {} : { confirmMinutes };
  const isWaiting = "confirmMinutes" in options;
  for (const [i, part] of parts.entries())
    try {
      await router.configure(part, options);
    } catch (error) {
      if (!isFailure(error, "router")) throw error;
      const { why } = error.failure;
      if (why !== "refused") {
        const isUndone = i === 0 && NOTHING_HAPPENED.includes(why);
        return { result: resultOf(error), error, refused: [], isUndone, isWaiting: isWaiting && !isUndone };
      }
      const paths = part.flatMap(({ op, path }) => (op === "set" ? [path] : []));
      const found = await isolate(router, wanted, paths);
      const result = found.error === undefined ? undefined : resultOf(found.error);
      if (result === "unknown")
        return { ...NOTHING_KNOWN, result, error: found.error ?? error, refused: found.refused };
      return { ...NOTHING_KNOWN, result: found.isDone || i > 0 ? "failed" : "refused", error, refused: found.refused };
    }
  return { result: "done", refused: [], isUndone: false, isWaiting };
}

const NOTHING_KNOWN = { isUndone: false, isWaiting: false } as const;

/** Of anything but a refusal. */
const resultOf = ({ failure }: SelvedgeError): PushResult =>
  failure.kind === "router" && ["unknown", "busy"].includes(failure.why) ? "unknown" : "failed";

export const pushedEvent = (
  router: string,
  { revision, why, result, tookMs }: Push,
  { sets, deletes }: Change,
): Event => ({
  event: "edge-pushed",
  router,
  revision,
  why,
  sets: sets.length,
  deletes: deletes.length,
  result,
  tookMs,
});

/** Whoever began a push and did not tell how it ended has ended before. @returns the newest @throws SelvedgeError store */
export async function tellOfEnds(memory: Memory): Promise<LastPush | undefined> {
  let newest: Push | undefined;
  for (const each of await memory.history()) {
    newest = each;
    if (each.result !== "begun") continue;
    newest = { ...each, result: "unknown", message: `node ${each.by} did not tell how it ended` };
    await memory.putPush(newest);
  }
  return newest && lastPushOf(newest);
}

export const isSame = (a: Kept["record"], b: Kept["record"]): boolean =>
  JSON.stringify([a.revision, a.isUnsaved, a.unknownMs, a.drifted, [...a.owned.values()]]) ===
  JSON.stringify([b.revision, b.isUnsaved, b.unknownMs, b.drifted, [...b.owned.values()]]);
