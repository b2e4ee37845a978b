/** Manifests in a directory that a daemon follows. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Replaces the file `name`.json as a whole: one that is read while it is written is no manifest. */
export function writeManifests(directory: string, name: string, items: readonly unknown[]): void {
  const hidden = join(directory, `.${name}`);
  writeFileSync(hidden, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  renameSync(hidden, join(directory, `${name}.json`));
}
