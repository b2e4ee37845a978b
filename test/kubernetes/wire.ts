/** The network between the machines of a cluster: one bridge in the namespace of the test, which is the control plane's machine. */
import { makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { inside, must, run } from "../../conformance/program.ts";

/** RFC 5737: addresses for documentation, so that nothing real can be meant. */
export const CONTROL_PLANE = "198.51.100.1";
export const NODES = { one: "198.51.100.11", two: "198.51.100.12" } as const;
export type Name = keyof typeof NODES;
export const NAMES = Object.keys(NODES) as Name[];

const BRIDGE = "kube0";
const PREFIX_LENGTH = 24;
export const namespaceOf = (name: Name): string => `kube-${name}`;

export async function makeWire(): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  await must(["ip", "link", "add", BRIDGE, "type", "bridge"]);
  stack.defer(async () => void (await run(["ip", "link", "delete", BRIDGE])));
  await must(["ip", "address", "add", `${CONTROL_PLANE}/${PREFIX_LENGTH}`, "dev", BRIDGE]);
  await must(["ip", "link", "set", BRIDGE, "up"]);
  for (const name of NAMES) {
    stack.defer(() => removeNamespace(namespaceOf(name)));
    await plug(name);
  }
  return stack.move();
}

/** Gives the node a network namespace, a fresh one, with a cable in it. */
export async function plug(name: Name): Promise<void> {
  const namespace = namespaceOf(name);
  await makeNamespace(namespace);
  // That of the namespace before, if it is there still.
  await run(["ip", "link", "delete", namespace]);
  await must(["ip", "link", "add", namespace, "type", "veth", "peer", "name", "uplink", "netns", namespace]);
  await must(["ip", "link", "set", namespace, "master", BRIDGE, "up"]);
  const on = (...argv: readonly string[]) => must(["ip", "-n", namespace, ...argv]);
  await on("address", "add", `${NODES[name]}/${PREFIX_LENGTH}`, "dev", "uplink");
  await on("link", "set", "uplink", "up");
  await on("route", "add", "default", "via", CONTROL_PLANE);
  await must(inside(namespace, ["/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]));
}
