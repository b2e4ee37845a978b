/**
 * A machine for a real runtime: a network namespace, a mount namespace in which everything that runtimes hard-wire (/run,
 * /var/lib) is in memory, a process namespace, so that all of it ends together and nothing is left, and a host name. Cgroups
 * and /sys are the real ones: runc needs them.
 */
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { end, eventually, inside, start } from "../../conformance/program.ts";

export interface Machine extends AsyncDisposable {
  readonly namespace: string;
  /** Path below each cgroup hierarchy that its containers belong under. */
  readonly cgroup: string;
  /** Its files, as they are reached from outside. */
  readonly root: string;
  /** Argument list that runs another one on this machine. */
  enter(argv: readonly string[]): string[];
}

const STATE = "/var/lib";
const PROCESSES = ["--pid", "--fork", "--kill-child", "--mount-proc"];

/**
 * @param namespace of the network, which stays when the machine goes; the machine's host name
 * @param disk directory that is its /var/lib and stays as well; without one that is in memory and goes
 */
export async function makeMachine(namespace: string, disk?: string): Promise<Machine> {
  const state = disk === undefined ? `mount -t tmpfs tmpfs ${STATE}` : `mount --bind ${disk} ${STATE}`;
  const mounts = `mount -t tmpfs tmpfs /run && ${state}`;
  const script = `${mounts} && hostname ${namespace} && mkdir -p /run/netns && echo ready && exec sleep infinity`;
  const unshare = ["unshare", "--mount", "--propagation", "private", "--uts", ...PROCESSES];
  const holder = start(inside(namespace, [...unshare, "/bin/sh", "-c", script]));
  const [word] = await Promise.race([once(holder.stdout ?? holder, "data"), once(holder, "exit")]);
  if (!String(word).startsWith("ready")) throw new Error(`no machine in ${namespace}: ${word}`);
  const cgroup = `/selvedge-${process.pid}-${namespace}`;
  const root = `/proc/${holder.pid}/root`;
  const of = `/proc/${holder.pid}/ns`;
  const spaces = [`--mount=${of}/mnt`, `--uts=${of}/uts`, `--net=${of}/net`, `--pid=${of}/pid_for_children`];
  const enter = ["/usr/bin/nsenter", ...spaces, "--"];
  return {
    namespace,
    cgroup,
    root,
    enter: (argv) => [...enter, ...argv],
    async [Symbol.asyncDispose]() {
      const ended = once(holder, "exit");
      const own = [cgroup, ...parentless(root)];
      end(holder, "SIGKILL");
      await ended;
      await eventually("its cgroups are gone", async () => removeCgroups(own));
    },
  };
}

/** Where containerd has what kubelet names no parent for (kubelet's cgroupsPerQOS: false). */
const CONTAINERD = "/k8s.io";
const TASKS = "run/containerd/io.containerd.runtime.v2.task/k8s.io";

/** @param root of the machine's files */
function parentless(root: string): string[] {
  const tasks = join(root, TASKS);
  return existsSync(tasks) ? readdirSync(tasks).map((id) => `${CONTAINERD}/${id}`) : [];
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

/** @throws Error EBUSY while a process is still ending in one of them */
function removeCgroups(cgroups: readonly string[]): true {
  for (const path of cgroups.flatMap(directoriesOf)) rmdirSync(path);
  // The last machine's containers leave it empty; on a node of a cluster it is others', too.
  for (const path of hierarchies().map((each) => join(each, CONTAINERD)))
    if (existsSync(path) && !directoriesIn(path)) rmdirSync(path);
  return true;
}

const directoriesIn = (path: string): boolean =>
  readdirSync(path, { withFileTypes: true }).some((entry) => entry.isDirectory());
