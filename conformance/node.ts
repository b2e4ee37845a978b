/**
 * The machine that a plugin is tried on: a network namespace for the node and one for the world outside, joined by a
 * cable. Outside has no route to pods, so what reaches it was masqueraded.
 */
import { ip, makeNamespace, removeNamespace } from "./namespace.ts";
import { inside, must } from "./program.ts";

export interface Place {
  /** Name of its network namespace. */
  readonly namespace: string;
  readonly ip4: string;
  readonly ip6: string;
}

export interface Node extends AsyncDisposable {
  readonly node: Place;
  readonly outside: Place;
}

/** RFC 5737 and RFC 3849: addresses for documentation, so that nothing real can be meant. */
const CABLE = {
  node: { ip4: "192.0.2.1", ip6: "2001:db8:ffff::1" },
  outside: { ip4: "192.0.2.2", ip6: "2001:db8:ffff::2" },
};

/** @param name at most ten characters: it begins the names of namespaces and of the cable */
export async function makeNode(name: string): Promise<Node> {
  const node = { namespace: `${name}-node`, ...CABLE.node };
  const outside = { namespace: `${name}-out`, ...CABLE.outside };
  const dispose = async () => {
    await removeNamespace(node.namespace);
    await removeNamespace(outside.namespace);
  };
  try {
    await makeNamespace(node.namespace);
    await makeNamespace(outside.namespace);
    await ip(node.namespace, `link add uplink type veth peer name uplink netns ${outside.namespace}`);
    for (const end of [node, outside]) await plug(end);
    await ip(node.namespace, `route add default via ${outside.ip4}`);
    await ip(node.namespace, `-6 route add default via ${outside.ip6}`);
    const forward = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";
    await must(inside(node.namespace, ["/bin/sh", "-c", forward]));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { node, outside, [Symbol.asyncDispose]: dispose };
}

async function plug({ namespace, ip4, ip6 }: Place): Promise<void> {
  await ip(namespace, "link set uplink up");
  await ip(namespace, `addr add ${ip4}/24 dev uplink`);
  await ip(namespace, `addr add ${ip6}/64 dev uplink nodad`);
}
