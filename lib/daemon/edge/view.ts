/** What the routers are told of the cluster, from what this node knows of it. */
import { hostname } from "node:os";
import { addressOf } from "#lib/address.ts";
import type { EdgeNode, EdgeView } from "#lib/edge/router.ts";
import type { Core } from "../core.ts";

export function edgeView(core: Pick<Core, "cluster" | "config" | "ipam" | "node">): EdgeView {
  const { cluster, config, ipam, node } = core;
  const networks = [...config.networks.values()];
  const pools = config.pools.map(({ name }) => ({
    name,
    prefixes: ipam.subnets((pool) => pool === name),
    isExposed: networks.some(({ expose, pools: theirs }) => expose && theirs.includes(name)),
  }));
  if (cluster === undefined) {
    const own = node.networks.filter(({ link }) => link === node.uplink).map(({ address }) => addressOf(address));
    const destinations = pools.flatMap(({ name, prefixes }) => prefixes.map((prefix) => ({ pool: name, prefix })));
    return { pools, nodes: [{ name: hostname(), addresses: own, isAlive: true, destinations }] };
  }
  const nodes = [...cluster.view.nodes.values()].map(
    ({ name, addresses }): EdgeNode => ({
      name,
      addresses,
      // Packets still go to one that is silent.
      isAlive: cluster.peers.get(name)?.liveness !== "dead",
      destinations: cluster.view.destinationsOf(name),
    }),
  );
  return { pools, nodes: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}
