/** What is said of an object that was told of. */
import type { Refusal } from "#lib/config/resources.ts";
import type { Phase, RouterState } from "../edge/router-status.ts";
import type { Condition, Told } from "./told.ts";

/** What is known of one. */
export interface Known {
  /** Why it does not count. */
  readonly refusal?: Refusal | undefined;
  /** What it names that is not there. */
  readonly lacking?: string | undefined;
  /** Of a pool that the nodes of a cluster share: how many blocks of it they have. */
  readonly blocks?: number | undefined;
  /** Of a router that is followed with the settings that it has now. */
  readonly router?: RouterState | undefined;
}

/** meta/v1 Condition.message. */
const MOST_CHARACTERS = 32_768;

/** Undefined where all of it has been said. */
export function conditionsOf(told: Told, known: Known, nowMs: number): readonly Condition[] | undefined {
  const now = timeText(nowMs);
  const said = [acceptedBy(known), ...readyBy(told, known), ...inUseBy(told, known), ...pausedBy(told, known)];
  const found = said.map((each): Condition => {
    const before = told.conditions.find(({ type }) => type === each.type);
    const isSame = before?.status === each.status && before.lastTransitionTime !== "";
    return {
      ...each,
      message: each.message.slice(0, MOST_CHARACTERS),
      observedGeneration: told.generation,
      lastTransitionTime: isSame ? before.lastTransitionTime : now,
    };
  });
  const isSaid = found.length === told.conditions.length && found.every((each) => isOneOf(told.conditions, each));
  return isSaid ? undefined : found;
}

type Said = Pick<Condition, "type" | "status" | "reason" | "message">;

const acceptedBy = ({ refusal }: Known): Said =>
  refusal === undefined
    ? { type: "Accepted", status: "True", reason: "Accepted", message: "It counts on all nodes." }
    : { type: "Accepted", status: "False", ...refusal };

/** Networks and pools that lack something are refused. */
function readyBy(told: Told, known: Known): Said[] {
  const { refusal, lacking, router } = known;
  if (told.kind !== "Tenant" && told.kind !== "Router") return [];
  const isRouter = told.kind === "Router" && router !== undefined;
  if (refusal !== undefined) return [isRouter ? readyAsBefore(told, router) : NOT_ACCEPTED];
  if (isRouter) return [routerReady(told, router)];
  if (told.kind === "Router") return [{ type: "Ready", status: "False", reason: "Starting", message: WORDS.starting }];
  if (lacking !== undefined) return [{ type: "Ready", status: "False", reason: "PeerAbsent", message: lacking }];
  return [{ type: "Ready", status: "True", reason: "Ready", message: "The tenants that it names are there." }];
}

const NOT_ACCEPTED: Said = { type: "Ready", status: "False", reason: "NotAccepted", message: "Accepted says why." };

/** Where a phase has no message of its own. */
const WORDS: Readonly<Record<Phase, string>> = {
  starting: "No node has looked at it with these settings yet.",
  "in-sync": "It has what it should.",
  pushing: "It is pushed to.",
  conflict: "Its operator has something else.",
  held: "A push waits for a person.",
  drifted: "Somebody else has changed what is Selvedge's.",
  "dry-run": "Nothing is pushed.",
  paused: "Nothing is pushed.",
  standby: "Another node writes to it.",
  failing: "It cannot be looked at.",
  open: "It is left alone for a while.",
};
/** When it is asked again is another time after each failure, and would be a write for each. */
const UNTIL = /^left alone until \S+ after \d+ failures in a row: /;

function routerReady(told: Told, state: RouterState): Said {
  const { phase } = state;
  return whilePushed(told, phase, {
    type: "Ready",
    status: phase === "in-sync" ? "True" : "False",
    reason: phase.replaceAll(/(?:^|-)[a-z]/g, (text) => text.slice(-1).toUpperCase()),
    message: wordsOf(state),
  });
}

/** A change of it is refused: it is followed, though not as it is written. */
const readyAsBefore = (told: Told, state: RouterState): Said =>
  whilePushed(told, state.phase, {
    ...NOT_ACCEPTED,
    message: `${NOT_ACCEPTED.message} With the settings of before: ${wordsOf(state)}`,
  });

const wordsOf = ({ phase, message }: RouterState): string => message.replace(UNTIL, "") || WORDS[phase];

/** A push is soon over: what comes and goes with pods must not be two writes for each. */
function whilePushed({ conditions, generation }: Told, phase: Phase, now: Said): Said {
  const before = conditions.find(({ type }) => type === "Ready");
  const isAlike = (before?.reason === NOT_ACCEPTED.reason) === (now.reason === NOT_ACCEPTED.reason);
  return phase === "pushing" && before?.observedGeneration === generation && isAlike ? before : now;
}

function pausedBy({ kind }: Told, { router }: Known): Said[] {
  if (kind !== "Router" || router === undefined) return [];
  return [
    router.phase === "paused"
      ? { type: "Paused", status: "True", reason: "Paused", message: router.message || WORDS.paused }
      : { type: "Paused", status: "False", reason: "NotPaused", message: "It is pushed to when that is due." },
  ];
}

function inUseBy({ conditions }: Told, { blocks }: Known): Said[] {
  if (blocks === undefined) return [];
  const before = conditions.find(({ type }) => type === "InUse")?.message;
  const count = roughly(blocks, Number(/\d+/.exec(before ?? "")?.[0] ?? 0));
  return [
    count === 0
      ? { type: "InUse", status: "False", reason: "NothingTaken", message: "Nodes have none of its blocks." }
      : { type: "InUse", status: "True", reason: "Taken", message: `Nodes have at least ${count} of its blocks.` },
  ];
}

const isOneOf = (conditions: readonly Condition[], each: Condition): boolean =>
  conditions.some(
    (other) =>
      other.type === each.type &&
      other.status === each.status &&
      other.reason === each.reason &&
      other.message === each.message &&
      other.observedGeneration === each.observedGeneration,
  );

/**
 * A power of two that is not above the count, and no other one than before while it need not be: what pods come and go
 * must not be a write for each.
 * @param before what was said last; 0: nothing
 */
export function roughly(count: number, before: number): number {
  if (before > 0 && before <= count && count < 4 * before) return before;
  return count === 0 ? 0 : 2 ** Math.floor(Math.log2(count));
}

/** As meta/v1 Time has it: whole seconds. */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
