/** What a plugin's end means: its result, or its error as a failure of ours. */
import { parseResult } from "#lib/cni/result.ts";
import type { Result } from "#lib/cni/types.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { root } from "#lib/parse.ts";
import type { Delegation } from "./delegate.ts";
import type { Ended } from "./exec.ts";

/** @throws SelvedgeError delegate, deadline */
export function readAnswer(delegation: Delegation, ended: Ended): Result | undefined {
  const { plugin, verb, deadlineMs } = delegation;
  if (ended.why === "deadline") {
    const message = `plugin ${plugin} did not finish ${verb} within ${deadlineMs} ms and was killed`;
    throw new SelvedgeError({ kind: "deadline" }, message);
  }
  if (ended.why !== undefined) throw failed(delegation, `${ended.why}; it was killed`);
  const stdout = new TextDecoder().decode(ended.stdout).trim();
  if (ended.exit !== 0) throw errorOf(delegation, ended, stdout);
  if (verb !== "ADD") return undefined;
  if (stdout === "") throw failed(delegation, "it printed no result");
  try {
    return parseResult(root(JSON.parse(stdout) ?? {}), delegation.cniVersion);
  } catch (error) {
    if (!(error instanceof SyntaxError || isFailure(error))) throw error;
    throw failed(delegation, `its result cannot be read: ${error.message}`);
  }
}

/** The error object on standard output; without one, how it ended and what it said on standard error. */
function errorOf(delegation: Delegation, ended: Ended, stdout: string): SelvedgeError {
  try {
    const { code, msg, details } = JSON.parse(stdout) as { code?: unknown; msg?: unknown; details?: unknown };
    if (typeof code === "number" && Number.isSafeInteger(code) && code > 0)
      return failed(delegation, String(msg ?? ""), code, details);
  } catch {
    // no JSON: fall through to what else is known
  }
  const how = ended.exit === undefined ? "it was killed" : `it ended with code ${ended.exit}`;
  const said = (stdout === "" ? ended.stderr.trim() : stdout).slice(0, 1_000);
  return failed(delegation, said === "" ? how : `${how}: ${said}`);
}

function failed({ plugin, verb }: Delegation, why: string, code = 0, details?: unknown): SelvedgeError {
  const hint = typeof details === "string" && details !== "" ? { hint: details } : {};
  return new SelvedgeError({ kind: "delegate", plugin, code }, `plugin ${plugin} failed ${verb}: ${why}`, hint);
}
