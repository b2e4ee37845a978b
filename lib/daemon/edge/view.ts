/** What the routers are told of the cluster, from what this node knows of it. */
import { hostname } from "node:os";
import { type Address, addressOf, type Prefix } from "#lib/address.ts";
import type { ClusterView } from "#lib/cluster/view.ts";
import type { EdgeEgress, EdgeNode, EdgeView } from "#lib/edge/router.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Core } from "../core.ts";

export type Knowing = Pick<Core, "cluster" | "config" | "edge" | "ipam" | "node" | "policies">;

/** Enough is known of the cluster to tell what is superfluous on a router, and it is heard of. */
export const isKnown = ({ cluster }: Pick<Knowing, "cluster">): boolean =>
  cluster === undefined || (cluster.informed && cluster.connected === true);

/** Its addresses that routers reach it by, the preferred of each family first. */
export const ownAddresses = ({ cluster, node }: Pick<Knowing, "cluster" | "node">): readonly Address[] =>
  cluster?.record.addresses ??
  node.networks.filter(({ link }) => link === node.uplink).map(({ address }) => addressOf(address));

export type EdgePools = EdgeView["pools"];

export function edgePools({ config, ipam }: Pick<Knowing, "config" | "ipam">): EdgePools {
  const networks = [...config.networks.values()];
  return config.pools.map(({ name }) => ({
    name,
    prefixes: ipam.subnets((pool) => pool === name),
    isExposed: networks.some(({ expose, pools: theirs }) => expose && theirs.includes(name)),
  }));
}

/** A node that is alone has all of them. */
export const ownDestinations = (cluster: Core["cluster"], pools: EdgePools): EdgeNode["destinations"] =>
  cluster === undefined
    ? pools.flatMap(({ name, prefixes }) => prefixes.map((prefix: Prefix) => ({ pool: name, prefix })))
    : cluster.view.destinationsOf(cluster.self.name);

/** Those of the whole cluster were told once, or no router asks for them. */
export const arePodsKnown = ({ edge, policies }: Pick<Knowing, "edge" | "policies">): boolean =>
  chosenIn(edge).size === 0 || policies?.isInformed === true;

const NOTHING_CHOSEN: ReadonlyMap<string, readonly Address[]> = new Map();
const chosenIn = (edge: Knowing["edge"]) => edge?.pods.addresses() ?? NOTHING_CHOSEN;

/** @throws SelvedgeError not-ready: without this a node that knows nobody yet would take away what leads to all of them */
export function edgeView(core: Knowing): EdgeView {
  const { cluster, config, edge } = core;
  if (!isKnown(core))
    throw new SelvedgeError({ kind: "not-ready" }, "the cluster is not known yet, or the shared store is away");
  if (!arePodsKnown(core))
    throw new SelvedgeError({ kind: "not-ready" }, "pods are not known yet, and routers choose some", {
      hint: "`selvedgectl policy list` shows what cannot be read.",
    });
  const pools = edgePools(core);
  const chosen = chosenIn(edge);
  const pods = chosen.size === 0 ? {} : { pods: chosen };
  if (cluster === undefined) {
    const destinations = ownDestinations(cluster, pools);
    return {
      pools,
      nodes: [{ name: hostname(), addresses: ownAddresses(core), isAlive: true, destinations }],
      egress: [],
      ...pods,
    };
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
  return {
    pools,
    nodes: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)),
    egress: egressOf(cluster.view, config),
    ...pods,
  };
}

function egressOf(view: ClusterView, { cluster }: Knowing["config"]): EdgeEgress[] {
  return (cluster?.egress ?? []).flatMap(({ addresses }) =>
    addresses.map((address) => {
      const { node, uid } = view.egress.get(address) ?? {};
      return { address, ...(node !== undefined && view.nodes.get(node)?.uid === uid ? { node } : {}) };
    }),
  );
}
