/** Nodes on one bridge, which is in the namespace of the run: the control plane's machine. */
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { inside, must, run } from "../../conformance/program.ts";

/** RFC 5737. */
export const CONTROL_PLANE = "198.51.100.1";
const BRIDGE = "kube0";
const LENGTH = 24;

export interface Place {
  /** Of the node, and of its namespace. */
  readonly name: string;
  readonly address: string;
}

export interface Places extends AsyncDisposable {
  readonly all: readonly Place[];
}

/** @param count at most 200 */
export async function makePlaces(count: number): Promise<Places> {
  await using stack = new AsyncDisposableStack();
  await must(["ip", "link", "add", BRIDGE, "type", "bridge"]);
  stack.defer(async () => void (await run(["ip", "link", "delete", BRIDGE])));
  await must(["ip", "address", "add", `${CONTROL_PLANE}/${LENGTH}`, "dev", BRIDGE]);
  await must(["ip", "link", "set", BRIDGE, "up"]);
  const all: Place[] = [];
  for (let number = 1; number <= count; number++) {
    const [name, address] = [`node-${number}`, `198.51.100.${10 + number}`];
    await makeNamespace(name);
    stack.defer(() => removeNamespace(name));
    await must(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name]);
    await must(["ip", "link", "set", name, "master", BRIDGE, "up"]);
    await ip(name, `address add ${address}/${LENGTH} dev eth0`);
    await ip(name, "link set eth0 up");
    await ip(name, `route add default via ${CONTROL_PLANE}`);
    await must(inside(name, ["/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]));
    all.push({ name, address });
  }
  const kept = stack.move();
  return { all, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
