/** podman with its CNI back end on a machine of the rig; everything of it lies in one directory. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";
import { TOOLS, writeImage } from "./image.ts";
import type { Machine } from "./machine.ts";

export interface Podman {
  readonly conflists: string;
  /** Runs podman and returns what it printed. @throws Error when it fails */
  podman(...argv: readonly string[]): Promise<string>;
}

interface Options {
  readonly machine: Machine;
  readonly directory: string;
  /** Directory with the plugins. */
  readonly plugins: string;
  readonly environment: Readonly<Record<string, string>>;
}

export async function preparePodman({ machine, directory, plugins, environment }: Options): Promise<Podman> {
  const path = (name: string) => join(directory, name);
  const conflists = path("net.d");
  await mkdir(conflists, { recursive: true });
  await writeFile(path("containers.conf"), configuration({ plugins, conflists }));
  await writeFile(
    path("storage.conf"),
    '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n',
  );
  await writeFile(path("policy.json"), '{ "default": [{ "type": "insecureAcceptAnything" }] }');
  const podman: Podman["podman"] = (...argv) =>
    must(machine.enter(["podman", ...argv]), {
      deadlineMs: 30_000,
      environment: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        HOME: directory,
        TMPDIR: directory,
        CONTAINERS_CONF: path("containers.conf"),
        CONTAINERS_STORAGE_CONF: path("storage.conf"),
        ...environment,
      },
    });
  await writeImage(path("tools.tar"), TOOLS);
  await podman("load", "--signature-policy", path("policy.json"), "--input", path("tools.tar"));
  return { conflists, podman };
}

/** The limits are what a container may have whose runtime has no CAP_SYS_RESOURCE. */
function configuration({ plugins, conflists }: { plugins: string; conflists: string }): string {
  return `
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
log_driver = "k8s-file"
[network]
network_backend = "cni"
cni_plugin_dirs = ["${plugins}"]
network_config_dir = "${conflists}"
default_network = "pods"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`;
}
