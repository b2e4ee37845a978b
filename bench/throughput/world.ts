/** Two nodes joined by one wire, and a pod on each; who joins the pods is the world's own matter. */
import { execFileSync } from "node:child_process";

export interface World extends AsyncDisposable {
  /** Name of the namespace of the pod that asks. */
  readonly client: string;
  readonly server: string;
  /** Of the pod that answers, IPv4. */
  readonly address: string;
}

export const ip = (...words: readonly string[]): string =>
  execFileSync(
    "ip",
    words.flatMap((word) => word.split(" ")),
    { encoding: "utf8" },
  );
export const inside = (namespace: string, argv: readonly string[]): string[] => [
  "ip",
  "netns",
  "exec",
  namespace,
  ...argv,
];

/** The nodes of a world: `a` and `b` on one network, RFC 5737. */
export interface Node {
  readonly namespace: string;
  readonly address: string;
  readonly pod: string;
}

export const NODES = ["a", "b"] as const;

/** Makes the namespaces of nodes and pods, and the wire between the nodes. */
export function makeNodes(world: string): Readonly<Record<(typeof NODES)[number], Node>> {
  const of = (node: (typeof NODES)[number], last: number): Node => ({
    namespace: `${world}-${node}`,
    address: `192.0.2.${last}`,
    pod: `${world}-pod-${node}`,
  });
  const [a, b] = [of("a", 1), of("b", 2)];
  for (const { namespace, pod } of [a, b])
    for (const name of [namespace, pod]) {
      ip("netns add", name);
      ip("-n", name, "link set lo up");
    }
  ip("-n", a.namespace, "link add eth0 type veth peer name eth0 netns", b.namespace);
  for (const { namespace, address } of [a, b]) {
    ip("-n", namespace, `addr add ${address}/24 dev eth0`);
    ip("-n", namespace, "link set eth0 up");
    // Somewhere to go for what is for nobody here: nodes have a default route.
    ip("-n", namespace, "route add default via 192.0.2.254");
  }
  return { a, b };
}

export function removeNodes({ a, b }: ReturnType<typeof makeNodes>): void {
  for (const { namespace, pod } of [a, b]) for (const name of [pod, namespace]) ip("netns del", name);
}
