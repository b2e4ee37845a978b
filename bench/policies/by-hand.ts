/** The same policy as a chain of iptables: one rule for each peer, as kube-router and others write them without sets. */
import { execFileSync } from "node:child_process";
import { address, type Mac, mac } from "#lib/address.ts";
import { inside, ip } from "../throughput/world.ts";
import { makeSilent, type Pair, PORT, programOf } from "./pair.ts";
import { paperAddress } from "./paper.ts";

const NODE = "hand";
const PODS = {
  client: { name: "hand-client", address: "10.21.0.2" },
  server: { name: "hand-server", address: "10.21.0.3" },
};
const GATEWAY = "169.254.1.1";
const GATEWAY_MAC = "ee:ee:ee:ee:ee:ee" as Mac;

export interface ByHand {
  readonly pair: Pair;
  /** The client is the last of so many peers. */
  select(peers: number): void;
}

/** Namespaces go with the node. */
export function byHand(): ByHand {
  const pods = Object.values(PODS);
  for (const name of [NODE, ...pods.map((pod) => pod.name)]) {
    ip("netns add", name);
    ip("-n", name, "link set lo up");
  }
  execFileSync(...programOf(inside(NODE, ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])));
  for (const { name, address } of pods) {
    ip("-n", name, `link add eth0 type veth peer name ${name.slice(5)} address ${GATEWAY_MAC} netns`, NODE);
    ip("-n", name, `addr add ${address}/32 dev eth0`);
    ip("-n", name, "link set eth0 up");
    ip("-n", NODE, `link set ${name.slice(5)} up`);
    ip("-n", name, `neigh add ${GATEWAY} lladdr ${GATEWAY_MAC} dev eth0 nud permanent`);
    ip("-n", name, `route add ${GATEWAY} dev eth0`);
    ip("-n", name, `route add default via ${GATEWAY} dev eth0`);
    ip("-n", NODE, `route add ${address} dev ${name.slice(5)}`);
    ip("-n", NODE, `neigh add ${address} lladdr ${macOf(name)} dev ${name.slice(5)} nud permanent`);
  }
  const { client, server } = PODS;
  makeSilent(server.name);
  return {
    pair: {
      client: client.name,
      server: server.name,
      from: { address: address(client.address), mac: macOf(client.name) },
      to: { address: address(server.address), mac: GATEWAY_MAC },
    },
    select(peers) {
      const sources = [...Array.from({ length: peers - 1 }, (_, n) => paperAddress(n)), client.address];
      const rules = sources.map(
        (each) => `-A FORWARD -s ${each} -d ${server.address} -p udp --dport ${PORT} -j ACCEPT`,
      );
      const known = "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT";
      const text = ["*filter", ":FORWARD DROP [0:0]", known, ...rules, "COMMIT", ""].join("\n");
      execFileSync(...programOf(inside(NODE, ["iptables-restore"])), { input: text });
    },
  };
}

const macOf = (namespace: string): Mac =>
  mac((JSON.parse(ip("-j -n", namespace, "link show eth0")) as { address: string }[])[0]?.address);
