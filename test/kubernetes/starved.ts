/** A container that the kernel ends for want of memory. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where containerd has the containers of pods whose kubelet names no parent. */
const GROUP = "k8s.io";
/** Hierarchy of cgroup v1, or the one of v2; what limits memory there, and what tells of it. */
const V1 = { path: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes" } as const;
const V2 = { path: "/sys/fs/cgroup", limit: "memory.max", used: "memory.current" } as const;
/** Bytes. */
const STEP = 4 * 2 ** 20;

/**
 * From now on the container has hardly more memory than what it cannot do without.
 * @param id as kubelet says it: containerd://…
 * @throws Error when the kernel takes no limit
 */
export function starve(id: string): void {
  const { path, limit, used } = existsSync(V1.path) ? V1 : V2;
  const group = join(path, GROUP, id.replace(/^containerd:\/\//, ""));
  const [, held] = /^(?:total_rss|anon) (\d+)$/m.exec(readFileSync(join(group, "memory.stat"), "utf8")) ?? [];
  if (held === undefined) throw new Error(`${group} does not say what it holds`);
  // More cannot be taken from it than the kernel finds elsewhere, and how much that is it does not tell.
  for (let bytes = Number(held) + STEP; ; bytes += STEP)
    try {
      writeFileSync(join(group, limit), String(bytes));
      return;
    } catch (error) {
      const isTooLittle = bytes < Number(readFileSync(join(group, used), "utf8")) + STEP;
      if ((error as NodeJS.ErrnoException).code !== "EBUSY" || !isTooLittle) throw error;
    }
}
