/** What becomes of a run's findings: JSON to keep, tables for whoever waits. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Verdict } from "./targets.ts";

/** `bench/results/2026-11-21T150501.json` */
export const resultsFile = (prefix = ""): string =>
  `bench/results/${prefix}${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.json`;

/** Writes both, the tables to standard output. */
export function tell(measured: object, verdicts: readonly Verdict[], tables: string, jsonFile: string): void {
  const file = resolve(jsonFile);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...measured, targets: verdicts }, null, 2)}\n`);
  process.stdout.write(`${tables}\n\nwritten to ${jsonFile}\n`);
}
