/** A test that needs more than Node says so, and what is missing is a failure in CI and a skip with a reason elsewhere. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "@jest/globals";
import { type KernelPiece, whereabouts } from "./kernel-piece.ts";

export type Requirement =
  | "root"
  | { readonly program: string }
  | { readonly file: string }
  | { readonly kernel: KernelPiece };

/** What is missing, and whether the guest of test/vm makes up for it. */
function missing(requirement: Requirement): { reason: string; elsewhere?: true } | undefined {
  if (requirement === "root") return process.getuid?.() === 0 ? undefined : { reason: "needs root" };
  if ("file" in requirement) return existsSync(requirement.file) ? undefined : { reason: `needs ${requirement.file}` };
  if ("kernel" in requirement) {
    const where = whereabouts(requirement.kernel);
    if (where === "here") return undefined;
    const reason = `needs a kernel with ${requirement.kernel}`;
    if (where === "guest") return { reason: `${reason}: npm run test:vm runs it`, elsewhere: true };
    return { reason: `${reason}, and no boot of test/vm/boots.ts runs this file` };
  }
  const found = (process.env.PATH ?? "").split(delimiter).some((place) => existsSync(join(place, requirement.program)));
  return found ? undefined : { reason: `needs the program ${requirement.program}` };
}

/**
 * `test`, or `test.skip` where something is missing: `needing("root", { program: "nft" })("…", async () => …)`.
 * In CI it is always `test`, which then fails for want of it, except for what the guest of test/vm runs.
 */
export function needing(...requirements: readonly Requirement[]): typeof test | typeof test.skip {
  const lacks = requirements.flatMap((requirement) => missing(requirement) ?? []);
  if (lacks.length === 0) return test;
  const fails = process.env.CI !== undefined && !lacks.every(({ elsewhere }) => elsewhere);
  console.warn(`${fails ? "will fail" : "skipped"}: ${lacks.map(({ reason }) => reason).join(", ")}`);
  return fails ? test : test.skip;
}
