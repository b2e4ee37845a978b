/**
 * One push to a router. What it may make ours is written down before the router hears of it, on condition that nobody else
 * has written meanwhile: so nothing of ours is ever forgotten, and of two nodes that both believe to be the writer one stops.
 */
import { afterwards, type Change } from "#lib/edge/change.ts";
import type { Piece } from "#lib/edge/piece.ts";
import { NO_RECORD, type Push, type PushResult, type RouterRecord } from "#lib/edge/record.ts";
import { isFailure, type RouterTrouble, SelvedgeError } from "#lib/errors.ts";
import type { Revision } from "#lib/store/shared.ts";
import type { Command, Vyos } from "#lib/vyos/vyos.ts";
import { isolate } from "./isolate.ts";
import type { Memory } from "./memory.ts";

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
  const revision = before.record.revision + 1;
  const intent = await keep(memory, before, {
    revision,
    owned: afterwards(before.record.owned, change),
    isUnsaved: true,
    unknownMs: atMs,
  });
  const entry = { revision, atMs, by, why, steps: change.steps };
  await memory.putPush({ ...entry, tookMs: 0, result: "begun", message: "" });

  const { result, error, refused } = await send(router, change, wanted, confirmMinutes);
  const done: Push = { ...entry, tookMs: nowMs() - atMs, result, message: error?.message ?? "" };
  await memory.putPush(done);
  const isUndone = error !== undefined && isFailure(error, "router") && NOTHING_HAPPENED.includes(error.failure.why);
  // What did not happen takes no number: the next try has the same.
  const number = isUndone ? before.record.revision : revision;
  // An earlier push, perhaps another node's, may still be going on.
  const unknownMs = result === "unknown" ? atMs : before.record.unknownMs;
  const after = await keep(memory, intent, {
    revision: number,
    owned: intent.record.owned,
    isUnsaved: true,
    ...(unknownMs === undefined ? {} : { unknownMs }),
  });
  return { kept: after, push: done, ...(error === undefined ? {} : { error }), refused };
}

interface Sent {
  readonly result: PushResult;
  readonly error?: SelvedgeError;
  readonly refused: Pushed["refused"];
}

async function send(
  router: Vyos,
  { deletes, sets }: Change,
  wanted: readonly Piece[],
  confirmMinutes: number | undefined,
): Promise<Sent> {
  const commands: Command[] = [
    ...deletes.map((path) => ({ op: "delete", path }) as const),
    ...sets.map((path) => ({ op: "set", path }) as const),
  ];
  try {
    await router.configure(commands, confirmMinutes === undefined ? {} : { confirmMinutes });
    return { result: "done", refused: [] };
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    const { why } = error.failure;
    if (why !== "refused")
      return { result: why === "unknown" || why === "busy" ? "unknown" : "failed", error, refused: [] };
    const found = await isolate(router, wanted, sets);
    return { result: found.isDone ? "failed" : "refused", error, refused: found.refused };
  }
}

/** Whoever began a push and did not tell how it ended has ended before. @throws SelvedgeError store */
export async function tellOfEnds(memory: Memory): Promise<void> {
  for (const each of await memory.history())
    if (each.result === "begun")
      await memory.putPush({ ...each, result: "unknown", message: `node ${each.by} ended before the router answered` });
}

export const isSame = (a: Kept["record"], b: Kept["record"]): boolean =>
  JSON.stringify([a.revision, a.isUnsaved, a.unknownMs, [...a.owned.values()]]) ===
  JSON.stringify([b.revision, b.isUnsaved, b.unknownMs, [...b.owned.values()]]);
