/** Reading where a record that nobody can read is as good as none. */
import { isFailure } from "#lib/errors.ts";
import type { Found } from "#lib/parse.ts";
import { readJson } from "./read-record.ts";

/** A record of the shared store as `read` has it; undefined for one that cannot be read. */
export function legible<T>({ key, value }: { key: string; value: string }, read: (found: Found) => T): T | undefined {
  try {
    return read(readJson(key, value));
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    return undefined;
  }
}
