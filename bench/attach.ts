/** One pod attached by the built plugin, as a runtime does it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

export interface Attached {
  readonly ips: readonly { readonly address: string }[];
  readonly interfaces: readonly { readonly mac: string; readonly sandbox?: string }[];
}

export interface AttachOptions {
  /** Of the built programs. */
  readonly dist: string;
  readonly socket: string;
  /** Argument list that runs another one where the plugin is to be. */
  readonly enter?: (argv: readonly string[]) => readonly string[];
  /** CNI_ARGS */
  readonly args?: string;
}

/** @param pod name of the container and of its namespace @throws Error with what the plugin said */
export function attach(pod: string, { dist, socket, enter = (argv) => argv, args = "" }: AttachOptions): Attached {
  const [program = "", ...argv] = enter([join(dist, "selvedge")]);
  const { status, stdout } = spawnSync(program, argv, {
    env: {
      PATH: process.env.PATH ?? "",
      SELVEDGE_SOCKET: socket,
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: pod,
      CNI_NETNS: `/run/netns/${pod}`,
      CNI_IFNAME: "eth0",
      CNI_ARGS: args,
      CNI_PATH: dist,
    },
    input: JSON.stringify({ cniVersion: "1.1.0", name: "net", type: "selvedge" }),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`ADD of ${pod}: ${stdout}`);
  return JSON.parse(stdout) as Attached;
}

/** @throws Error for a pod without one */
export function ipv4Of({ ips }: Attached): string {
  const found = ips.map(({ address }) => address.replace(/\/.*/, "")).find((address) => address.includes("."));
  if (found === undefined) throw new Error("the pod has no IPv4 address");
  return found;
}
