/**
 * A machine for a real runtime: a network namespace, and a mount namespace in which everything that runtimes hard-wire
 * (/run, /var/lib) is in memory, so that nothing of it is left when its processes have ended. Cgroups and /sys are the
 * real ones: runc needs them.
 */
import { once } from "node:events";
import { existsSync, globSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { eventually, inside, start } from "../../conformance/program.ts";

export interface Machine extends AsyncDisposable {
  readonly namespace: string;
  /** Path below each cgroup hierarchy that its containers belong under. */
  readonly cgroup: string;
  /** Argument list that runs another one on this machine. */
  enter(argv: readonly string[]): string[];
}

const IN_MEMORY = ["/run", "/var/lib"];

/** @param namespace of the network; it stays when the machine goes */
export async function makeMachine(namespace: string): Promise<Machine> {
  const mounts = IN_MEMORY.map((path) => `mount -t tmpfs tmpfs ${path}`).join(" && ");
  const script = `${mounts} && mkdir -p /run/netns && echo ready && exec sleep infinity`;
  const holder = start(inside(namespace, ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script]));
  const [word] = await Promise.race([once(holder.stdout ?? holder, "data"), once(holder, "exit")]);
  if (!String(word).startsWith("ready")) throw new Error(`no machine in ${namespace}: ${word}`);
  const cgroup = `/selvedge-${process.pid}-${namespace}`;
  const mount = `/proc/${holder.pid}/ns/mnt`;
  return {
    namespace,
    cgroup,
    enter: (argv) => ["/usr/bin/nsenter", `--mount=${mount}`, `--net=/proc/${holder.pid}/ns/net`, "--", ...argv],
    async [Symbol.asyncDispose]() {
      const own = readlinkSync(mount);
      await eventually("every process of the machine has ended", async () => {
        // The holder is the last: the others are found by its mount namespace.
        const left = [...processesOf(cgroup), ...processesIn(own).filter((pid) => pid !== holder.pid)];
        for (const pid of left) kill(pid);
        return left.length === 0 || undefined;
      });
      if (holder.pid !== undefined) kill(holder.pid);
      await eventually("its cgroups are gone", async () => removeCgroups(cgroup) || undefined);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function processesIn(mountNamespace: string): number[] {
  return globSync("/proc/[0-9]*/ns/mnt").flatMap((path) => {
    try {
      return readlinkSync(path) === mountNamespace ? [Number(path.split("/")[2])] : [];
    } catch {
      return []; // It has ended since the list was made.
    }
  });
}

const hierarchies = () =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, path = "", kind = ""] = line.split(" ");
      return kind.startsWith("cgroup") ? [path] : [];
    });

/** Every directory of the cgroup in every hierarchy, the deepest first. */
function directoriesOf(cgroup: string): string[] {
  const below = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => [...below(join(path, name)), join(path, name)]);
  return hierarchies()
    .map((path) => join(path, cgroup))
    .filter((path) => existsSync(path))
    .flatMap((path) => [...below(path), path]);
}

const processesOf = (cgroup: string): number[] =>
  directoriesOf(cgroup)
    .flatMap((path) => readFileSync(join(path, "cgroup.procs"), "utf8").match(/\d+/g) ?? [])
    .map(Number);

/** Whether nothing of it is left. */
function removeCgroups(cgroup: string): boolean {
  for (const path of directoriesOf(cgroup)) rmdirSync(path);
  return true;
}
