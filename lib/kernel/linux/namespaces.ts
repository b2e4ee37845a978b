/** Every network namespace of the machine that can be found: by name, or by a process in it. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const NAMED = "/run/netns";
const PROCESSES = "/proc";

/**
 * One path for each namespace but those of `except` (inodes), which may be gone when it is opened. The cost grows with the processes of the machine:
 * for refusals and for the way back of what went astray.
 */
export async function namespacePaths(except: readonly number[]): Promise<string[]> {
  const names = await readdir(NAMED).catch(() => []);
  const processes = (await readdir(PROCESSES)).filter((entry) => /^\d+$/.test(entry));
  const paths = [
    ...names.map((name) => join(NAMED, name)),
    ...processes.map((process) => join(PROCESSES, process, "ns/net")),
  ];
  const found = new Map<number, string>();
  for (const path of paths) {
    const inode = (await stat(path).catch(() => undefined))?.ino;
    if (inode !== undefined && !except.includes(inode) && !found.has(inode)) found.set(inode, path);
  }
  return [...found.values()];
}
