/** A kubelet in miniature: pods through a runtime's CRI socket. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import protobuf from "protobufjs";
import { serving, TOOLS } from "./image.ts";

export interface Pod {
  readonly id: string;
  readonly ip: string;
  /** Its one container, in which `exec` runs. */
  readonly container: string;
  /** Path of its network namespace, as its machine sees it. */
  readonly netns: string;
}

export interface PodWish {
  readonly name: string;
  readonly cgroup: string;
  readonly hostPort?: number;
}

/** Port that every pod serves its name on. */
export const POD_PORT = 8080;
const DEADLINE_MS = 30_000;

/** @param socket absolute path */
export function cri(socket: string) {
  const { root } = protobuf.parse(PROTO, { keepCase: false });
  const service = root.lookupService("runtime.v1.RuntimeService");
  // A Unix socket has no authority of its own, and containerd refuses an empty one.
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    "grpc.default_authority": "localhost",
  });
  const ask = <Reply>(name: string, request: object = {}): Promise<Reply> => {
    const method = service.methods[name];
    method?.resolve();
    const [into, from] = [method?.resolvedRequestType, method?.resolvedResponseType];
    if (!into || !from) throw new Error(`cri.proto has no ${name}`);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/runtime.v1.RuntimeService/${name}`,
        (message: object) => Buffer.from(into.encode(into.fromObject(message)).finish()),
        (bytes) => from.toObject(from.decode(bytes), { defaults: true, longs: Number }) as Reply,
        request,
        { deadline: Date.now() + DEADLINE_MS },
        (error, reply) => (error || reply === undefined ? reject(error) : resolve(reply)),
      );
    });
  };
  return {
    close: () => client.close(),
    /** Whether the runtime has a network. */
    async networkReady(): Promise<boolean> {
      const { status } = await ask<{ status: { conditions: { type: string; status: boolean }[] } }>("Status");
      return status.conditions.some(({ type, status: ready }) => type === "NetworkReady" && ready);
    },
    /** Starts a pod that serves its name on POD_PORT. */
    async run({ name, cgroup, hostPort }: PodWish): Promise<Pod> {
      const config = {
        metadata: { name, uid: `uid-${name}`, namespace: "default" },
        hostname: name,
        portMappings: hostPort === undefined ? [] : [{ protocol: 0, containerPort: POD_PORT, hostPort }],
        linux: { cgroupParent: cgroup, securityContext: { namespaceOptions: NAMESPACES } },
      };
      const { podSandboxId: id } = await ask<{ podSandboxId: string }>("RunPodSandbox", { config });
      const { containerId: container } = await ask<{ containerId: string }>("CreateContainer", {
        podSandboxId: id,
        sandboxConfig: config,
        config: {
          metadata: { name: "main" },
          image: { image: TOOLS },
          command: serving(POD_PORT),
          linux: { securityContext: { namespaceOptions: NAMESPACES } },
        },
      });
      await ask("StartContainer", { containerId: container });
      const { status, info } = await ask<{ status: { network: { ip: string } }; info: { info: string } }>(
        "PodSandboxStatus",
        { podSandboxId: id, verbose: true },
      );
      return { id, container, ip: status.network.ip, netns: netnsOf(info.info) };
    },
    /** Standard output of a command in the pod's container. */
    async exec({ container }: Pod, cmd: readonly string[]): Promise<string> {
      const reply = await ask<{ stdout: Buffer; stderr: Buffer; exitCode: number }>("ExecSync", {
        containerId: container,
        cmd,
        timeout: 10,
      });
      if (reply.exitCode !== 0) throw new Error(`${cmd.join(" ")}: exit ${reply.exitCode}: ${reply.stderr.toString()}`);
      return reply.stdout.toString();
    },
    stop: ({ id }: Pod) => ask<object>("StopPodSandbox", { podSandboxId: id }),
    remove: ({ id }: Pod) => ask<object>("RemovePodSandbox", { podSandboxId: id }),
  };
}

export type Cri = ReturnType<typeof cri>;

const NAMESPACES = { network: 0, pid: 1, ipc: 0 };
const PROTO = readFileSync(join(import.meta.dirname, "cri.proto"), "utf8");

/** containerd's verbose status holds the sandbox's OCI specification. */
function netnsOf(info: string): string {
  const { runtimeSpec } = JSON.parse(info) as {
    runtimeSpec: { linux: { namespaces: { type: string; path?: string }[] } };
  };
  return runtimeSpec.linux.namespaces.find(({ type }) => type === "network")?.path ?? "";
}
