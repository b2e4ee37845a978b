/** A line in the log for every flow that a policy denies: when it begins, and when it goes on for long. */
import type { Log } from "#lib/log.ts";
import type { ToldFlow } from "./told-flows.ts";

/** A flow that goes on is told of again after this time. */
const AGAIN_MS = 60_000;
/** A pod that tries every port does not fill the disk: what is beyond is counted. */
const MOST_LINES = 100;

/** `flows`: those that stand denied now. To be called now and then. */
export function deniedLog(log: Log, nowMs: () => number): (flows: readonly ToldFlow[]) => void {
  const told = new Map<string, { readonly packets: number; readonly atMs: number }>();
  return (flows) => {
    const now = nowMs();
    const keys = new Set<string>();
    let [lines, unsaid] = [0, 0];
    for (const { from, to, protocol, port, packets, because } of flows) {
      const key = `${from} ${to} ${protocol} ${port}`;
      keys.add(key);
      const before = told.get(key);
      // Fewer than before: it had been forgotten, and has begun anew.
      const more = before === undefined || packets < before.packets ? packets : packets - before.packets;
      if (more === 0 || (before !== undefined && packets >= before.packets && now - before.atMs < AGAIN_MS)) continue;
      told.set(key, { packets, atMs: now });
      if (++lines > MOST_LINES) unsaid++;
      else log({ event: "flow-denied", from, to, protocol, port, packets: more, because });
    }
    for (const key of told.keys()) if (!keys.has(key)) told.delete(key);
    if (unsaid > 0) log({ event: "flows-unsaid", flows: unsaid });
  };
}
