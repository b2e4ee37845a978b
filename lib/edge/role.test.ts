import { expect, test } from "@jest/globals";
import { roleOf } from "./role.ts";

const [FOUR, SIX] = ["SELVEDGE-gate-eth1-4", "SELVEDGE-gate-eth1-6"];
const table = (...rows: readonly string[]) =>
  [
    "Name                  Interface      VRID  State      Priority  Last Transition",
    "--------------------  -----------  ------  -------  ----------  -----------------",
    ...rows,
    "",
  ].join("\n");
const row = (name: string, state: string) => `${name}  eth1             10  ${state}          200  1h2m3s`;

test.each<[answer: string, role: string]>([
  [table(row(FOUR, "MASTER"), row(SIX, "MASTER")), "master"],
  [table(row(FOUR, "BACKUP"), row(SIX, "BACKUP"), row("THEIRS", "MASTER")), "backup"],
  [table(row(FOUR, "MASTER"), row(SIX, "FAULT")), "master/fault"],
  [table(), ""],
  ["VRRP data is not available (process not running or no active groups)\n", ""],
])("%j: %s", (answer, role) => expect(roleOf(answer, [FOUR, SIX])).toBe(role));
