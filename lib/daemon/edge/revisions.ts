/** Which revisions of a router can be gone back to: those of which every later push is remembered, and 0, nothing of ours. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Memory } from "./memory.ts";
import { kept } from "./push.ts";

/** @throws SelvedgeError store; config-invalid: not to that one */
export async function checkRevision(memory: Memory, revision: number): Promise<void> {
  const oldest = (await memory.history())[0]?.revision ?? 1;
  const newest = (await kept(memory)).record.revision;
  if (revision === 0 || (revision >= oldest - 1 && revision <= newest)) return;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "revision" },
    `revision: ${revision} is not one that can be gone back to; those are ${oldest === 1 ? "" : "0, "}${oldest - 1} to ${newest}`,
  );
}
