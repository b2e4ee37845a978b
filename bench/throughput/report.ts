/** A run of the throughput benchmark as text, at most 120 columns wide. */
import { machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { number, table } from "../table.ts";
import type { Verdict } from "../targets.ts";
import type { Measured } from "./measured.ts";

export function report({ machine, rows }: Measured, verdicts: readonly Verdict[]): string {
  const compared = table(
    ["way", "joined by", "n", "TCP Gbit/s p50", "least", "round trips", "µs p50", "p99"],
    rows.map(({ way, name, gigabits, roundTripUs }) => [
      way,
      name,
      String(gigabits.count),
      number(gigabits.p50),
      number(gigabits.least),
      String(roundTripUs.count),
      number(roundTripUs.p50),
      number(roundTripUs.p99),
    ]),
    [0, 1],
  );
  const title = "Between pods on two nodes, alternating: one stream of TCP, and one packet at a time";
  return [machineText(machine), `${title}\n\n${compared}`, `Targets\n\n${targets(verdicts)}`].join("\n\n");
}
