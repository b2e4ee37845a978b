/** A test that needs more than Node says so, and what is missing is a failure in CI and a skip with a reason elsewhere. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "@jest/globals";

export type Requirement = "root" | { readonly program: string } | { readonly file: string };

function missing(requirement: Requirement): string | undefined {
  if (requirement === "root") return process.getuid?.() === 0 ? undefined : "needs root";
  if ("file" in requirement) return existsSync(requirement.file) ? undefined : `needs ${requirement.file}`;
  const found = (process.env.PATH ?? "").split(delimiter).some((place) => existsSync(join(place, requirement.program)));
  return found ? undefined : `needs the program ${requirement.program}`;
}

/**
 * `test`, or `test.skip` where something is missing: `needing("root", { program: "nft" })("…", async () => …)`.
 * In CI it is always `test`, which then fails for want of it.
 */
export function needing(...requirements: readonly Requirement[]): typeof test | typeof test.skip {
  const reasons = requirements.flatMap((requirement) => missing(requirement) ?? []);
  if (reasons.length === 0) return test;
  const inCi = process.env.CI !== undefined;
  console.warn(`${inCi ? "will fail" : "skipped"}: ${reasons.join(", ")}`);
  return inCi ? test : test.skip;
}
