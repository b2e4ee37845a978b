/**
 * Networks that a router's own interfaces are on. Pods of a network that has such an address would be where the router's
 * neighbours are: nothing new leads to them, and what does already is kept up.
 */
import { addressOf, bitsOf, contains, family, lengthOf, networkOf, type Prefix, prefix } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import type { Pools } from "./render/served.ts";
import { nodeAt, type Tree } from "./tree.ts";

/** An address of an interface. */
export interface Connected {
  readonly interface: string;
  /** With the length of its network. */
  readonly address: Prefix;
  readonly vrf?: string;
}

/** Words below an interface that are followed by the number of one within it. */
const WITHIN = ["vif", "vif-s", "vif-c"];

/**
 * `interfaces <type> <name> [vif <n>] address <address>/<length>`
 * @param ours names of those that we make ourselves
 */
export const connectedIn = (interfaces: Tree, ours: ReadonlySet<string>): Connected[] =>
  [...interfaces.values()].flatMap((type) =>
    [...type].flatMap(([name, node]) => (ours.has(name) ? [] : addressesOf(name, node))),
  );

function addressesOf(name: string, node: Tree): Connected[] {
  const [vrf] = nodeAt(node, ["vrf"])?.keys() ?? [];
  const here = [...(nodeAt(node, ["address"])?.keys() ?? [])].flatMap((text) => {
    // "dhcp" and its like are none.
    const own = readable(() => prefix(text));
    return own === undefined ? [] : { interface: name, address: own, ...(vrf === undefined ? {} : { vrf }) };
  });
  const below = WITHIN.flatMap((word) => [...(nodeAt(node, [word]) ?? [])]);
  return [...here, ...below.flatMap(([number, each]) => addressesOf(`${name}.${number}`, each))];
}

export interface Overlap {
  readonly pool: string;
  /** Of the pool. */
  readonly prefix: Prefix;
  readonly connected: Connected;
}

/**
 * Addresses of the router's that lie in pools, where the same table leads to both. One without a network, of a loopback for
 * example, has no neighbours.
 */
export const overlaps = (connected: readonly Connected[], pools: Pools, vrf: string | undefined): Overlap[] =>
  pools.flatMap(({ name, prefixes }) =>
    prefixes.flatMap((each) =>
      connected
        .filter((own) => own.vrf === vrf && hasNeighbours(own) && contains(each, addressOf(own.address)))
        .map((own) => ({ pool: name, prefix: each, connected: own })),
    ),
  );

const hasNeighbours = ({ address }: Connected): boolean => lengthOf(address) < bitsOf(family(address));

/** Why nothing is to lead to a prefix: some of it is where the router's own neighbours are. */
export function whyNot(found: readonly Overlap[], to: Prefix): string | undefined {
  const one = found.find(({ connected }) => {
    const network = networkOf(connected.address);
    return contains(network, addressOf(to)) || contains(to, addressOf(network));
  });
  return one && `${one.connected.address} of the router's ${one.connected.interface} lies in pool ${one.pool}`;
}
