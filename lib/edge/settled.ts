/** What is remembered of a router that has what it should. */
import { present } from "./change.ts";
import { both, ownership } from "./piece.ts";
import type { RouterRecord } from "./record.ts";
import type { Tree } from "./tree.ts";

/** A commit whose answer was lost is over after this time, ms: nginx on the router waits 600 s for it. */
const LATE_MS = 900_000;

/** Ours is what is there, besides what a commit may still bring and what somebody else has taken away and may keep away. */
export function settled(record: RouterRecord, have: Tree, nowMs: number): RouterRecord {
  const { unknownMs, ...same } = record;
  const isOver = unknownMs === undefined || nowMs - unknownMs > LATE_MS;
  const away = new Set(record.drifted);
  const kept = ownership([...record.owned.values()].filter(({ at }) => away.has(at)));
  return {
    ...same,
    owned: isOver ? both(present(record.owned, have), kept) : record.owned,
    isUnsaved: false,
    ...(isOver ? {} : { unknownMs }),
  };
}
