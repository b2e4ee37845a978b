/** CNI_ARGS: `K=V;K=V` (CONVENTIONS.md). Keys that we do not know are the business of others and are ignored. */
import { SelvedgeError } from "#lib/errors.ts";

/** @throws SelvedgeError environment-invalid naming the pair */
export function parseArgs(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of text.split(";")) {
    if (pair === "") continue;
    const [key = "", value, more] = pair.split("=");
    if (key === "" || value === undefined || more !== undefined)
      throw badArgs(`invalid pair ${JSON.stringify(pair)}`, "It is a list of KEY=VALUE pairs separated by semicolons.");
    pairs.set(key, value);
  }
  return pairs;
}

export const badArgs = (message: string, hint: string): SelvedgeError =>
  new SelvedgeError({ kind: "environment-invalid", variables: ["CNI_ARGS"] }, `CNI_ARGS: ${message}`, { hint });
