/** What Linux answers when it refuses. */
import { constants } from "node:os";
import { SelvedgeError } from "#lib/errors.ts";

export function refusal(call: string, name: keyof typeof constants.errno): SelvedgeError {
  return new SelvedgeError({ kind: "kernel", call, errno: constants.errno[name] }, `${call}: ${name}`);
}
