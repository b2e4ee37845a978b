/**
 * The kernel's floor: the same way set up by hand. Pods hang on pairs of links as those of the attachment type ptp do. With
 * a firewall it is the least that does what pods are promised: nobody sends from another's address, and what leaves for
 * the outside carries the node's.
 */
import { execFileSync } from "node:child_process";
import type { Way } from "./ways.ts";
import { inside, ip, makeNodes, type Node, removeNodes, type World } from "./world.ts";

const VNI = 4_096;
const PORT = 4_789;
/** Of the wire, bytes, and what VXLAN takes of it (RFC 7348 section 5). */
const MTU = 1_500;
const OVERHEAD = 50;

const NETWORK = { a: "10.20.0.0", b: "10.20.1.0" } as const;
const POD = { a: "10.20.0.2", b: "10.20.1.2" } as const;
/** Of the tunnels' ends. */
const MAC = { a: "02:00:00:00:00:0a", b: "02:00:00:00:00:0b" } as const;
/** The pod's gateway, which is nobody's address. */
const GATEWAY = "169.254.1.1";
const GATEWAY_MAC = "ee:ee:ee:ee:ee:ee";

type Name = "a" | "b";

function attach({ namespace, pod }: Node, name: Name, mtu: number): void {
  ip("-n", pod, `link add eth0 mtu ${mtu} type veth peer name pod0 mtu ${mtu} address ${GATEWAY_MAC} netns`, namespace);
  ip("-n", pod, `addr add ${POD[name]}/32 dev eth0`);
  ip("-n", pod, "link set eth0 up");
  ip("-n", namespace, "link set pod0 up");
  ip("-n", pod, `neigh add ${GATEWAY} lladdr ${GATEWAY_MAC} dev eth0 nud permanent`);
  ip("-n", pod, `route add ${GATEWAY} dev eth0`);
  ip("-n", pod, `route add default via ${GATEWAY} dev eth0`);
  ip("-n", namespace, `route add ${POD[name]} dev pod0`);
}

function lead(
  { namespace, address }: Node,
  own: Name,
  to: { readonly name: Name; readonly address: string },
  way: Way,
): void {
  const network = NETWORK[to.name];
  if (way === "direct") return void ip("-n", namespace, `route add ${network}/24 via ${to.address}`);
  const mtu = MTU - OVERHEAD;
  ip(
    "-n",
    namespace,
    `link add vx0 mtu ${mtu} address ${MAC[own]} type vxlan id ${VNI} dstport ${PORT} local ${address} nolearning`,
  );
  ip("-n", namespace, "link set vx0 up");
  execFileSync("bridge", ["-n", namespace, "fdb", "add", MAC[to.name], "dev", "vx0", "dst", to.address]);
  ip("-n", namespace, `neigh add ${network} lladdr ${MAC[to.name]} dev vx0 nud permanent`);
  ip("-n", namespace, `route add ${network}/24 via ${network} dev vx0 onlink`);
}

/** `masquerade` makes the kernel track every connection. */
function guard({ namespace }: Node, name: Name): void {
  const text = `table inet hand {
    chain guard {
      type filter hook prerouting priority -310
      iifname "pod0" ip saddr != ${POD[name]} drop
    }
    chain leaving {
      type nat hook postrouting priority srcnat
      ip saddr ${POD[name]} ip daddr != 10.20.0.0/16 masquerade
    }
  }`;
  const [program = "", ...argv] = inside(namespace, ["nft", "-f", "-"]);
  execFileSync(program, argv, { input: text });
}

export function byHand(way: Way, firewall: "bare" | "guarded"): World {
  const nodes = makeNodes(firewall);
  const mtu = way === "vxlan" ? MTU - OVERHEAD : MTU;
  for (const name of ["a", "b"] as const) {
    const [node, other] = [nodes[name], name === "a" ? ("b" as const) : ("a" as const)];
    const [program = "", ...argv] = inside(node.namespace, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    execFileSync(program, argv);
    attach(node, name, mtu);
    if (firewall === "guarded") guard(node, name);
    lead(node, name, { name: other, address: nodes[other].address }, way);
  }
  return {
    client: nodes.a.pod,
    server: nodes.b.pod,
    address: POD.b,
    async [Symbol.asyncDispose]() {
      removeNodes(nodes);
    },
  };
}
