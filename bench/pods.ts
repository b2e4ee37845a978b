/** Pods' namespaces: made by the runtime, so outside of what is timed. All lie in a private /run/netns. */
import type { Pod } from "./chain.ts";
import { runSync } from "./process.ts";

const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Runs a program of the system by name. @throws Error when it fails */
export function must(argv: readonly string[], input = ""): string {
  const { exit, stdout, stderr } = runSync({ argv, environment: { PATH: SYSTEM_PATH }, input });
  if (exit !== 0) throw new Error(`${argv.join(" ")}: exit ${exit}: ${stderr || stdout}`);
  return stdout;
}

/** @param prefix begins the names; no two sets of pods that live at the same time may share it */
export function makePods(prefix: string, count: number): Pod[] {
  const pods = Array.from({ length: count }, (_, number) => {
    const id = `${prefix}-${number}`;
    return { id, netns: `/run/netns/${id}`, number };
  });
  batch(pods.map(({ id }) => `netns add ${id}`));
  return pods;
}

export const removePods = (pods: readonly Pod[]): void => batch(pods.map(({ id }) => `netns delete ${id}`));

function batch(lines: readonly string[]): void {
  if (lines.length > 0) must(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
}
