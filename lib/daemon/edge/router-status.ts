/** What is told of a router, and in which words. */
import type { Conflict } from "#lib/edge/change.ts";
import type { Line } from "#lib/edge/path.ts";
import type { Pause, Push } from "#lib/edge/record.ts";

export type Phase =
  | "starting"
  | "in-sync"
  | "pushing"
  | "conflict"
  | "held"
  | "drifted"
  | "dry-run"
  | "paused"
  | "standby"
  | "failing"
  | "open";

export interface RouterStatus {
  readonly phase: Phase;
  /** Why it is not in sync; "" when it is. */
  readonly message: string;
  readonly version: string;
  readonly writer: string;
  /** Of the last look that showed the router as it should be; 0: none. */
  readonly inSyncMs: number;
  readonly failures: number;
  readonly nextMs: number;
  readonly owned: number;
  readonly revision: number;
  readonly lastPush: LastPush | undefined;
  readonly isUnsaved: boolean;
  /** Which of its pair it was at the last look: `master`, `backup`, …; "" where nobody knows. */
  readonly role: string;
  readonly conflicts: readonly Conflict[];
  readonly intruders: readonly Line[];
  readonly refused: readonly { readonly at: Line; readonly message: string }[];
  readonly counted: Counted;
}

/** The newest push, by whatever node; undefined where nobody has pushed, or this node has not been the writer yet. */
export type LastPush = Pick<Push, "revision" | "atMs" | "result">;

export const lastPushOf = ({ revision, atMs, result }: Push): LastPush => ({ revision, atMs, result });

/** What of it is worth telling when it changes: numbers that grow with every look are not. */
export type RouterState = Pick<RouterStatus, "phase" | "message" | "version" | "writer" | "revision" | "lastPush">;

export const stateOf = ({ phase, message, version, writer, revision, lastPush }: RouterStatus): RouterState => ({
  phase,
  message,
  version,
  writer,
  revision,
  lastPush,
});

/** Since the daemon started. */
export interface Counted {
  readonly looks: number;
  readonly drifts: number;
  readonly pushes: number;
  readonly failedPushes: number;
  /** Of all pushes together, and of the last. */
  readonly commitMs: number;
  readonly lastCommitMs: number;
}

export const NOTHING_COUNTED: Counted = {
  looks: 0,
  drifts: 0,
  pushes: 0,
  failedPushes: 0,
  commitMs: 0,
  lastCommitMs: 0,
};

/** With a push that ended so. */
export const withPush = (
  counted: Counted,
  { tookMs, result }: { readonly tookMs: number; readonly result: string },
): Counted => ({
  ...counted,
  pushes: counted.pushes + 1,
  failedPushes: counted.failedPushes + (result === "done" ? 0 : 1),
  commitMs: counted.commitMs + tookMs,
  lastCommitMs: tookMs,
});

export const conflictText = ({ at, foreign, needs, stays }: Conflict): string =>
  `${at} ${stays ?? (needs === undefined ? `has ${foreign.join(", ")}` : `needs ${needs}`)}`;

/** @returns a sentence that tells whether what it speaks of is done */
export const pauseText = ({ by, why, backTo }: Pause): string =>
  `${backTo === undefined ? "" : "not done yet: "}by ${by}: ${why}`;
