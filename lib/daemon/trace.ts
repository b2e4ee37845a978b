/** Where the time of an ADD went: one span for each step, kept for the newest attachments (`selvedgectl trace`). */
import type { Op } from "#lib/state/diff.ts";
import { line } from "#lib/state/line.ts";
import type { AttachmentKey } from "#lib/store/store.ts";
import { keyOf } from "./table.ts";

/** The steps of ADD and DEL, in order. Each is also a point at which a test may kill the daemon. */
export type Step =
  | "queued"
  | "parsed"
  | "leased"
  | "delegated"
  | "decided"
  | "intent-stored"
  | "kernel-applied"
  | "ready-stored"
  | "off-network"
  | "forgotten";

export interface Span {
  readonly step: Step;
  /** Microseconds since the request arrived. */
  readonly startUs: number;
  readonly durationUs: number;
}

export interface Trace {
  readonly traceparent: string;
  readonly spans: readonly Span[];
  /** What was done to the kernel, one line for each operation. */
  readonly lines: () => string[];
}

export interface Recording {
  /** The named step has just ended. */
  ended(step: Step): void;
  performed(ops: readonly Op[]): void;
}

export interface Traces {
  record(key: AttachmentKey, traceparent: string): Recording;
  of(key: AttachmentKey): Trace | undefined;
}

/**
 * Keeps the newest `capacity` traces. `clockUs` is monotonic. `onStep` is told of every step as it ends.
 */
export function traces({
  capacity,
  clockUs,
  onStep,
}: {
  capacity: number;
  clockUs: () => number;
  onStep: (step: Step) => void;
}): Traces {
  const kept = new Map<string, Trace>();
  return {
    record(key, traceparent) {
      const began = clockUs();
      const spans: Span[] = [];
      let ops: readonly Op[] = [];
      let last = began;
      const name = keyOf(key);
      kept.delete(name);
      kept.set(name, { traceparent, spans, lines: () => ops.map(line) });
      for (const oldest of kept.keys()) {
        if (kept.size <= capacity) break;
        kept.delete(oldest);
      }
      return {
        ended(step) {
          const now = clockUs();
          spans.push({ step, startUs: Math.round(last - began), durationUs: Math.round(now - last) });
          last = now;
          onStep(step);
        },
        performed(done) {
          ops = [...ops, ...done];
        },
      };
    },
    of: (key) => kept.get(keyOf(key)),
  };
}
