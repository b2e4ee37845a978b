/** A node of a cluster: a machine with containerd, kubelet and kube-proxy, as an installer of Kubernetes leaves it, without a network. */
import type { ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, stop } from "../../conformance/program.ts";
import { startContainerd } from "../runtimes/containerd.ts";
import { type Machine, makeMachine } from "../runtimes/machine.ts";
import { PROGRAMS } from "./control-plane.ts";
import { logged } from "./logged.ts";
import { type Name, NODES, namespaceOf } from "./wire.ts";

export interface Node extends AsyncDisposable {
  readonly machine: Machine;
  /** Killed, and started again. */
  restart(program: "kubelet" | "containerd"): Promise<void>;
}

export interface NodeOptions {
  readonly name: Name;
  /** Takes all that it writes; it is there. */
  readonly directory: string;
  /** Its /var/lib. */
  readonly disk: string;
  /** Archives of images, besides those of every machine with containerd. */
  readonly images: readonly string[];
  /** Kubeconfigs of who asks the API server. */
  readonly kubelet: string;
  readonly proxy: string;
}

/** Where runtimes look when nobody tells them another place. */
const PLUGINS = "/opt/cni/bin";
const CONFLISTS = "/etc/cni/net.d";
export const DNS_SERVICE = "10.96.0.10";

/**
 * What a node has of its own besides /run. kubelet would set some sysctls of the whole machine: it finds them as it wants them.
 */
const OWN_FILES = `
disk=/var/lib/disk
mkdir -p $disk/etc $disk/work $disk/opt/cni/bin $disk/cni/net.d $disk/log /var/lib/kubelet /run/sysctl
mount -t overlay -o lowerdir=/etc,upperdir=$disk/etc,workdir=$disk/work overlay /etc
mkdir -p /etc/cni
mount --bind $disk/cni /etc/cni
mount --bind $disk/opt /opt
mount --bind $disk/log /var/log
# As systemd leaves it: containers may be given mounts in both directions.
mount --make-rshared /
for each in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \\
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=/run/sysctl/$(basename "\${each%=*}")
  echo "\${each#*=}" >"$file"
  mount --bind "$file" "/proc/sys/\${each%=*}"
done
`;

export async function startNode({ name, directory, disk, images, kubelet, proxy }: NodeOptions): Promise<Node> {
  await using stack = new AsyncDisposableStack();
  const machine = stack.use(await makeMachine(namespaceOf(name), disk));
  await must(machine.enter(["/bin/sh", "-euc", OWN_FILES]));
  const containerd = await startContainerd({
    machine,
    directory,
    plugins: PLUGINS,
    conflists: CONFLISTS,
    environment: {},
  });
  stack.use(containerd);
  for (const image of images) await containerd.load(image);
  const settings = (program: string, config: object): string => {
    const file = join(directory, `${program}.yaml`);
    writeFileSync(file, JSON.stringify(config));
    return `--config=${file}`;
  };
  const running = new Map<string, ChildProcess>();
  const begin = (program: string, argv: readonly string[]): void => {
    const log = join(directory, `${program}.log`);
    running.set(
      program,
      logged(log, machine.enter([join(PROGRAMS, program), ...argv]), { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }),
    );
  };
  stack.defer(async () => void (await Promise.all([...running.values()].map((each) => stop(each)))));
  const kubeletArguments = [
    settings("kubelet", kubeletConfiguration(machine, containerd.socket)),
    `--kubeconfig=${kubelet}`,
    `--hostname-override=${name}`,
    `--node-ip=${NODES[name]}`,
  ];
  begin("kubelet", kubeletArguments);
  begin("kube-proxy", [settings("kube-proxy", proxyConfiguration(name, proxy))]);
  const kept = stack.move();
  return {
    machine,
    async restart(program) {
      if (program === "containerd") {
        await containerd.kill();
        await containerd.start();
        return;
      }
      const child = running.get(program);
      if (child !== undefined) await stop(child, 0);
      begin(program, kubeletArguments);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const kubeletConfiguration = (machine: Machine, socket: string): object => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  containerRuntimeEndpoint: `unix://${socket}`,
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: "AlwaysAllow" },
  cgroupDriver: "cgroupfs",
  // How much pods may use of the machine is no matter here.
  cgroupsPerQOS: false,
  enforceNodeAllocatable: ["none"],
  cgroupRoot: machine.cgroup,
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  clusterDNS: [DNS_SERVICE],
  clusterDomain: "cluster.local",
  nodeStatusUpdateFrequency: "2s",
  // The disk is the machine's, however full.
  evictionHard: { "memory.available": "1Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
  imageGCHighThresholdPercent: 100,
});

const proxyConfiguration = (name: Name, kubeconfig: string): object => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  clientConnection: { kubeconfig },
  hostnameOverride: name,
  mode: "nftables",
  // The limits of connections are the whole machine's.
  conntrack: { maxPerCore: 0 },
});
