/** What a runtime is given: a directory with plugins, and a conflist as Selvedge installs it. */
import { mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { referenceBin } from "../../conformance/reference.ts";
import type { JsonObject } from "../../conformance/subject.ts";

/** One directory for runtimes that know only one; earlier directories win. Where `selvedge` is, it is `loopback`, too. */
export async function linkPlugins(into: string, path: readonly string[]): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const directory of [...path, referenceBin()])
    for (const name of await readdir(directory)) {
      if (name.startsWith(".")) continue;
      await link(join(directory, name), join(into, name));
      if (name === "selvedge") await link(join(directory, name), join(into, "loopback"));
    }
}

const link = (to: string, at: string): Promise<void> =>
  symlink(to, at).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });

/**
 * Written as 1.0.0, which old runtimes read, with the newer versions beside it. The temporary file lies in the same
 * directory: containerd notices a rename from there, and nothing else.
 */
export async function writeConflist(directory: string, name: string, plugins: readonly JsonObject[]): Promise<void> {
  const conflist = { cniVersion: "1.0.0", cniVersions: ["0.4.0", "1.0.0", "1.1.0"], name, plugins };
  const temporary = join(directory, `.${name}.conflist.tmp`);
  await writeFile(temporary, JSON.stringify(conflist));
  await rename(temporary, join(directory, `05-${name}.conflist`));
}
