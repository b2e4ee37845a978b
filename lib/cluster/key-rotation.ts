/**
 * A node's WireGuard keys over time. A new key is known to the others for `leadSeconds` before it is used, and the one
 * before is kept for as long after: whoever has not heard of the change in time still finds the key that it knows.
 */
export interface Keys {
  /** Public halves, in base64. The one in use. */
  readonly active: string;
  /** When it began to be used, milliseconds since the epoch. */
  readonly activeSinceMs: number;
  /** The one that comes next; the others have been told of it. */
  readonly next?: { readonly publicKey: string; readonly toldMs: number };
  /** The one before. */
  readonly previous?: string;
}

export interface RotationOptions {
  readonly rotateHours: number;
  readonly leadSeconds: number;
}

const HOUR_MS = 3_600_000;

/** What is due: a new key to be made and told of, the next one to be used, or the one before to be forgotten. */
export type Due = "make" | "use" | "forget";

export function due(keys: Keys, nowMs: number, { rotateHours, leadSeconds }: RotationOptions): Due | undefined {
  const leadMs = leadSeconds * 1_000;
  if (keys.previous !== undefined && nowMs - keys.activeSinceMs >= leadMs) return "forget";
  if (keys.next !== undefined) return nowMs - keys.next.toldMs >= leadMs ? "use" : undefined;
  return nowMs - keys.activeSinceMs >= rotateHours * HOUR_MS ? "make" : undefined;
}

/** `made` is the public half of the key that was made for it. */
export function rotated(keys: Keys, step: Due, nowMs: number, made: () => string): Keys {
  const { active, activeSinceMs, next, previous } = keys;
  switch (step) {
    case "make":
      return {
        active,
        activeSinceMs,
        next: { publicKey: made(), toldMs: nowMs },
        ...(previous === undefined ? {} : { previous }),
      };
    case "use":
      return next === undefined ? keys : { active: next.publicKey, activeSinceMs: nowMs, previous: active };
    case "forget":
      return { active, activeSinceMs, ...(next === undefined ? {} : { next }) };
  }
}

/** What the others are told: the newest first. */
export const toldKeys = ({ active, next, previous }: Keys): string[] =>
  [next?.publicKey, active, previous].filter((key) => key !== undefined);

/**
 * Which of a peer's keys it uses: the one by which it was heard last. Before it was heard by any, the oldest: a new key
 * is told of before it is used.
 */
export function keyInUse(
  told: readonly string[],
  lastHandshakeSeconds: (publicKey: string) => number | undefined,
): string | undefined {
  const heard = told.map((key) => ({ key, at: lastHandshakeSeconds(key) ?? 0 }));
  // Of keys that were heard in the same second, the newer.
  const latest = heard.reduce((best, each) => (each.at > best.at ? each : best), { key: told.at(-1), at: 0 });
  return latest.key;
}
