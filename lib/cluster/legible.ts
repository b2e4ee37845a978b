/** Reading where a record that nobody can read is as good as none. */
import { type Found, readable } from "#lib/parse.ts";
import { readJson } from "./read-record.ts";

/** A record of the shared store as `read` has it; undefined for one that cannot be read. */
export function legible<T>({ key, value }: { key: string; value: string }, read: (found: Found) => T): T | undefined {
  return readable(() => read(readJson(key, value)));
}
