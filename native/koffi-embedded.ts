/**
 * koffi inside the single executable: there is no node_modules beside it, so its library is an asset of the executable
 * (install/build.ts puts it there and makes `import "koffi"` mean this file).
 *
 * The dynamic loader wants a path: the library is written to a file without a name (O_TMPFILE) and opened through
 * /proc/self/fd, so nothing stays behind, however the daemon ends, and nobody can replace it in between.
 */
import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { getRawAsset } from "node:sea";

/** asm-generic/fcntl.h, __O_TMPFILE (v6.12); Node has no name for it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** Tried in turn: hardened machines mount some of them noexec. */
const DIRECTORIES = ["/tmp", "/dev/shm", "/var/tmp", "/run"];

function load(): object {
  const library = new Uint8Array(getRawAsset("koffi.node"));
  const refusals: string[] = [];
  for (const directory of DIRECTORIES) {
    try {
      return loadFrom(directory, library);
    } catch (error) {
      refusals.push(`${directory}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`the embedded system-call library cannot be loaded from any directory: ${refusals.join("; ")}`);
}

function loadFrom(directory: string, library: Uint8Array): object {
  const file = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o700);
  try {
    writeFileSync(file, library);
    const module = { exports: {} };
    process.dlopen(module, `/proc/self/fd/${file}`);
    return module.exports;
  } finally {
    closeSync(file);
  }
}

export default load();
