/** What the routers are told of the cluster, from what this node knows of it. */
import { hostname } from "node:os";
import { addressOf } from "#lib/address.ts";
import type { EdgeNode, EdgeView } from "#lib/edge/router.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Core } from "../core.ts";

type Knowing = Pick<Core, "cluster" | "config" | "ipam" | "node">;

/** Enough is known of the cluster to tell what is superfluous on a router, and it is heard of. */
export const isKnown = ({ cluster }: Pick<Knowing, "cluster">): boolean =>
  cluster === undefined || (cluster.informed && cluster.connected === true);

/** @throws SelvedgeError not-ready: without this a node that knows nobody yet would take away what leads to all of them */
export function edgeView(core: Knowing): EdgeView {
  const { cluster, config, ipam, node } = core;
  if (!isKnown(core))
    throw new SelvedgeError({ kind: "not-ready" }, "the cluster is not known yet, or the shared store is away");
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
