/** What is said of an object that was told of. */
import type { Refusal } from "#lib/config/resources.ts";
import type { Condition, Told } from "./told.ts";

/** What is known of one. */
export interface Known {
  /** Why it does not count. */
  readonly refusal?: Refusal | undefined;
  /** What it names that is not there. */
  readonly lacking?: string | undefined;
  /** Of a pool that the nodes of a cluster share: how many blocks of it they have. */
  readonly blocks?: number | undefined;
}

/** meta/v1 Condition.message. */
const MOST_CHARACTERS = 32_768;

/** Undefined where all of it has been said. */
export function conditionsOf(told: Told, known: Known, nowMs: number): readonly Condition[] | undefined {
  const now = time(nowMs);
  const found = [acceptedBy(known), ...readyBy(told, known), ...inUseBy(told, known)].map((each): Condition => {
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
function readyBy({ kind }: Told, { refusal, lacking }: Known): Said[] {
  if (kind !== "Tenant") return [];
  if (refusal !== undefined)
    return [{ type: "Ready", status: "False", reason: "NotAccepted", message: "Accepted says why." }];
  if (lacking !== undefined) return [{ type: "Ready", status: "False", reason: "PeerAbsent", message: lacking }];
  return [{ type: "Ready", status: "True", reason: "Ready", message: "The tenants that it names are there." }];
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
const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
