/** A node of a cluster with what outlives a machine of it: its disk and its name. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../conformance/program.ts";
import type { Machine } from "../runtimes/machine.ts";
import { type NodeOptions, startNode } from "./kubelet.ts";
import { type Name, plug } from "./wire.ts";

export interface KubeNode extends AsyncDisposable {
  readonly name: Name;
  readonly machine: Machine;
  /** Runs a program on it. @throws Error when it fails */
  on(...argv: readonly string[]): Promise<string>;
  /** Killed, and started again. */
  restart(program: "kubelet" | "containerd"): Promise<void>;
  /** All processes, links, rules and mounts are gone, the disk is there, and the node starts. */
  reboot(): Promise<void>;
}

export async function makeKubeNode(options: Omit<NodeOptions, "disk">): Promise<KubeNode> {
  await using stack = new AsyncDisposableStack();
  const { name } = options;
  const disk = join(options.directory, "disk");
  mkdirSync(disk);
  // Containers' file systems are overlays, which not every file system bears.
  await must(["mount", "-n", "-t", "tmpfs", "tmpfs", disk]);
  stack.defer(async () => void (await must(["umount", "-n", "--lazy", disk])));
  let node = await startNode({ ...options, disk });
  stack.defer(() => node[Symbol.asyncDispose]());
  const kept = stack.move();
  return {
    name,
    get machine() {
      return node.machine;
    },
    on: (...argv) => must(node.machine.enter(argv)),
    restart: (program) => node.restart(program),
    async reboot() {
      await node[Symbol.asyncDispose]();
      await plug(name);
      node = await startNode({ ...options, disk, images: [] });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
