/** containerd with its CRI socket on a machine of the rig. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { end, eventually, must, run, start, stop } from "../../conformance/program.ts";
import { type Cri, cri } from "./cri.ts";
import { PAUSE, TOOLS, writeImage } from "./image.ts";
import type { Machine } from "./machine.ts";

export interface Containerd extends AsyncDisposable {
  readonly cri: Cri;
  /** Path of its socket. */
  readonly socket: string;
  /** Where conflists go. */
  readonly conflists: string;
  /** Imports an image from an archive. */
  load(archive: string): Promise<void>;
  /** SIGKILL, and waits for the end; its pods go on. */
  kill(): Promise<void>;
  /** Starts it again; `cri` stays usable. */
  start(): Promise<void>;
}

interface Options {
  readonly machine: Machine;
  /** Everything of it lies here. */
  readonly directory: string;
  /** Directory with the plugins. */
  readonly plugins: string;
  /** Directory of the machine for conflists, if not one that is made here. */
  readonly conflists?: string;
  /** What plugins are to find in their environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Of an image of hundreds of megabytes, on a machine that is busy. */
const LOAD_MS = 120_000;

/** @throws Error with the end of its log when it does not serve within 15 s */
export async function startContainerd(options: Options): Promise<Containerd> {
  const { machine, directory, plugins, environment } = options;
  const path = (name: string) => join(directory, name);
  const { conflists = path("net.d") } = options;
  if (options.conflists === undefined) await mkdir(conflists, { recursive: true });
  await writeFile(path("config.toml"), config({ directory, plugins, conflists }));
  const socket = path("containerd.sock");
  const ctr = (...argv: string[]) => machine.enter(["ctr", "--address", socket, ...argv]);
  let child: ChildProcess | undefined;

  const begin = async () => {
    const began = start(machine.enter(["containerd", "--config", path("config.toml")]), {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      ...environment,
    });
    child = began;
    for (const stream of [began.stdout, began.stderr])
      stream?.on("data", (bytes: Buffer) => appendFileSync(path("containerd.log"), bytes));
    await eventually(
      "containerd serves",
      async () => (await run(ctr("version"))).exit === 0 || undefined,
      15_000,
    ).catch((cause: unknown) => {
      throw new Error(`containerd: ${readFileSync(path("containerd.log"), "utf8").slice(-2_000)}`, { cause });
    });
  };
  await begin();
  const load = async (archive: string): Promise<void> =>
    void (await must(ctr("--namespace", "k8s.io", "images", "import", archive), { deadlineMs: LOAD_MS }));
  for (const [name, reference] of Object.entries({ pause: PAUSE, tools: TOOLS })) {
    await writeImage(path(`${name}.tar`), reference);
    await load(path(`${name}.tar`));
  }
  const client = cri(socket);
  return {
    cri: client,
    socket,
    conflists,
    load,
    start: begin,
    async kill() {
      if (child === undefined) return;
      const ended = once(child, "exit");
      end(child, "SIGKILL");
      await ended;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      if (child) await stop(child);
    },
  };
}

/** version = 2 is containerd 1.6's. The machine's /run and /var/lib are in memory: the sockets of its shims lie there. */
function config({ directory, plugins, conflists }: { directory: string; plugins: string; conflists: string }): string {
  return `
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "${directory}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${conflists}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}
