/** The same with flannel: flanneld on each node, one etcd, and pods on the bridge that flannel's plugin asks for. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import type { Store } from "./store.ts";
import { inside, ip, makeNodes, type Node, removeNodes, type World } from "./world.ts";

/** What flanneld keeps in etcd. It masquerades what leaves, as it does where it is deployed (kube-flannel.yml), by nftables. */
const CONFIG = { Network: "10.30.0.0/16", SubnetLen: 24, EnableNFTables: true, Backend: { Type: "vxlan" } };

/** Starts flanneld on a node. @returns how it is ended */
function start(program: string, { namespace, address }: Node, endpoint: string, file: string): () => Promise<void> {
  const [command = "", ...argv] = inside(namespace, [
    program,
    `--etcd-endpoints=${endpoint}`,
    "--iface=eth0",
    `--public-ip=${address}`,
    "--ip-masq",
    `--subnet-file=${file}`,
  ]);
  const child = spawn(command, argv, { stdio: "ignore" });
  const ended = once(child, "exit");
  return async () => {
    child.kill("SIGTERM");
    await ended;
  };
}

/** As its plugin delegates it: a bridge with the gateway's address, and a pair of links for each pod. */
function attach({ namespace, pod }: Node, file: string): string {
  const read = (name: string) => new RegExp(`^FLANNEL_${name}=(.*)$`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? "";
  const [gateway = "", length = ""] = read("SUBNET").split("/");
  const mtu = read("MTU");
  const address = gateway.replace(/\d+$/, "2");
  ip("-n", namespace, `link add cni0 mtu ${mtu} type bridge`);
  ip("-n", namespace, `addr add ${gateway}/${length} dev cni0`);
  ip("-n", namespace, "link set cni0 up");
  ip("-n", pod, `link add eth0 mtu ${mtu} type veth peer name pod0 mtu ${mtu} netns`, namespace);
  ip("-n", namespace, "link set pod0 master cni0 up");
  ip("-n", pod, `addr add ${address}/${length} dev eth0`);
  ip("-n", pod, "link set eth0 up");
  ip("-n", pod, `route add default via ${gateway}`);
  return address;
}

/** @param program flanneld */
export async function flannel(program: string, store: Store, state: string): Promise<World> {
  await using stack = new AsyncDisposableStack();
  mkdirSync(state, { recursive: true });
  const nodes = makeNodes("flannel");
  stack.defer(() => removeNodes(nodes));
  const put = ["put", "/coreos.com/network/config", JSON.stringify(CONFIG)];
  execFileSync("etcdctl", [`--endpoints=${store.endpoint}`, ...put], { env: { ...process.env, ETCDCTL_API: "3" } });
  const address = { a: "", b: "" };
  for (const name of ["a", "b"] as const) {
    const node = nodes[name];
    const file = join(state, `${name}.env`);
    stack.defer(start(program, node, store.connect(node), file));
    await eventually(() => existsSync(file) || fail(`flanneld has written no ${file}`));
    address[name] = attach(node, file);
    const [command = "", ...argv] = inside(node.namespace, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    execFileSync(command, argv);
  }
  const kept = stack.move();
  return {
    client: nodes.a.pod,
    server: nodes.b.pod,
    address: address.b,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function fail(message: string): never {
  throw new Error(message);
}
