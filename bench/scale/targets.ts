/** The figures that a large cluster has to reach. */
import { type Goal, judged, type Verdict } from "../targets.ts";
import type { Scale } from "./measured.ts";
import type { Changes } from "./pure.ts";

const goals: readonly Goal<Scale>[] = [
  { what: "cold start of the desired state", unit: "ms", limit: 2_000, bound: "most", from: (m) => last(m.cold).whole },
  { what: "its memory (RSS)", unit: "MiB", limit: 300, bound: "most", from: (m) => last(m.cold).rssMib },
  growing("a pod's move: at most nodes / at fewest", ({ move }) => move.p50),
  growing("a node's restart: at most nodes / at fewest", ({ restart }) => restart.p50),
  growing("a node's joining: at most nodes / at fewest", ({ join }) => join.p50),
  {
    what: "programming the peers into the kernel",
    unit: "ms",
    limit: 3_000,
    bound: "most",
    from: ({ real }) => real.start.programming,
  },
  { what: "RSS of the daemon", unit: "MiB", limit: 300, bound: "most", from: ({ real }) => real.memory.rssMib },
];

export const verdicts = (measured: Scale): Verdict[] => judged(goals, measured);

/** What costs the same in a cluster of any size; half as much again is the caches' of the processor. */
function growing(what: string, of: (changes: Changes) => number): Goal<Scale> {
  return { what, unit: "x", limit: 1.5, bound: "most", from: ({ changes }) => of(last(changes)) / of(first(changes)) };
}

const first = <T>(rows: readonly T[]): T => found(rows[0]);
const last = <T>(rows: readonly T[]): T => found(rows.at(-1));

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("nothing was measured");
  return value;
}
