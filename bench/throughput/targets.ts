/** How near to the kernel's floor traffic between nodes has to be. */
import { type Goal, judged, type Verdict } from "../targets.ts";
import type { Measured, Row } from "./measured.ts";
import { WAYS, type Way } from "./ways.ts";

const goals: readonly Goal<Measured>[] = WAYS.flatMap((way): Goal<Measured>[] => [
  {
    what: `${way}: throughput, selvedge / by hand`,
    unit: "x",
    limit: 0.97,
    bound: "least",
    from: (m) => of(m, way, "selvedge").gigabits.p50 / of(m, way, "by hand").gigabits.p50,
  },
  {
    what: `${way}: throughput, selvedge / by hand and a firewall`,
    unit: "x",
    limit: 0.97,
    bound: "least",
    from: (m) => of(m, way, "selvedge").gigabits.p50 / of(m, way, "and a firewall").gigabits.p50,
  },
  {
    what: `${way}: round trips, by hand / selvedge`,
    unit: "x",
    limit: 0.97,
    bound: "least",
    from: (m) => of(m, way, "by hand").roundTripUs.p50 / of(m, way, "selvedge").roundTripUs.p50,
  },
]).concat({
  what: "vxlan: throughput, selvedge / flannel",
  unit: "x",
  limit: 0.97,
  bound: "least",
  mayLack: true,
  from: (m) => of(m, "vxlan", "selvedge").gigabits.p50 / of(m, "vxlan", "flannel").gigabits.p50,
});

export const verdicts = (measured: Measured): Verdict[] => judged(goals, measured);

function of({ rows }: Measured, way: Way, name: string): Row {
  const found = rows.find((row) => row.way === way && row.name === name);
  if (found === undefined) throw new RangeError(`nothing was measured: ${way} ${name}`);
  return found;
}
