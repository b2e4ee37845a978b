/** Kubernetes' objects as manifests in a directory, for runtimes that have no API server. */
import { type FSWatcher, watch } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { loop } from "#lib/loop.ts";
import type { Listener, ObjectSource } from "./objects.ts";

/** A directory may be replaced as a whole (a mounted ConfigMap is), which its watch does not tell of. */
const LOOK_MS = 2_000;
const GATHER_MS = 10;
/** No manifest needs many aliases, and a "billion laughs" does. */
const MOST_ALIASES = 100;

interface Known {
  /** Changes with the file. */
  readonly stamp: string;
  /** The objects' texts, by their place in the file. */
  readonly texts: readonly string[];
  /** It could not be read, and the texts are what it said before. */
  readonly isBroken: boolean;
}

export const manifestDirectory = (directory: string): ObjectSource => ({
  async follow(listener, signal) {
    const files = new Map<string, Known>();
    let lastFailure = "";
    const look = async (): Promise<void> => {
      try {
        await compare(directory, files, listener);
        if (lastFailure !== "") listener.remove(directory);
        lastFailure = "";
      } catch (error) {
        const message = String((error as Error).message);
        if (message !== lastFailure) listener.failed(directory, message);
        lastFailure = message;
      }
    };
    await look();
    const looking = loop(look, { everyMs: LOOK_MS, debounceMs: GATHER_MS, signal });
    const watcher = watched(directory, looking.poke);
    signal.addEventListener("abort", () => watcher?.close(), { once: true });
    return { done: looking.done };
  },
});

/** Undefined where nothing is: then the directory is looked at now and then. */
function watched(directory: string, poke: () => void): FSWatcher | undefined {
  try {
    return watch(directory, poke).on("error", poke);
  } catch {
    return undefined;
  }
}

async function compare(directory: string, files: Map<string, Known>, listener: Listener): Promise<void> {
  const names = (await readdir(directory)).filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith("."));
  let isChanged = files.size === 0;
  for (const [name, { texts }] of files) {
    if (names.includes(name)) continue;
    for (const i of texts.keys()) listener.remove(`${name}#${i}`);
    files.delete(name);
    isChanged = true;
  }
  for (const name of names.sort()) {
    const path = join(directory, name);
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    const stamp = `${mtimeNs} ${size} ${ino}`;
    const known = files.get(name);
    if (known?.stamp === stamp) continue;
    const objects = objectsIn(await readFile(path, "utf8"));
    isChanged = true;
    if (typeof objects === "string") {
      listener.failed(name, objects);
      files.set(name, { stamp, texts: known?.texts ?? [], isBroken: true });
      continue;
    }
    if (known?.isBroken === true) listener.remove(name);
    const texts = objects.map((object) => JSON.stringify(object) ?? "");
    for (const [i, object] of objects.entries()) if (texts[i] !== known?.texts[i]) listener.put(`${name}#${i}`, object);
    for (let i = texts.length; i < (known?.texts.length ?? 0); i++) listener.remove(`${name}#${i}`);
    files.set(name, { stamp, texts, isBroken: false });
  }
  if (isChanged) listener.told();
}

/** What is wrong with the text, or its documents that are not empty. */
function objectsIn(text: string): unknown[] | string {
  try {
    const documents = [...parseAllDocuments(text, { prettyErrors: true })];
    const [mistake] = documents.flatMap(({ errors }) => errors);
    if (mistake !== undefined) return mistake.message;
    return documents
      .map((document): unknown => document.toJS({ maxAliasCount: MOST_ALIASES }))
      .filter((o) => o !== null);
  } catch (error) {
    // yaml throws ReferenceError for aliases without an anchor and for too many of them.
    if (!(error instanceof ReferenceError)) throw error;
    return error.message;
  }
}
