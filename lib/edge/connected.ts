/**
 * Networks that a router's own interfaces are on. Pods of a network that has such an address would be where the router's
 * neighbours are: what leads to them is left as it is.
 */
import { addressOf, bitsOf, contains, family, lengthOf, type Prefix, prefix } from "#lib/address.ts";
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

/** Addresses of the router's that lie in pools, where the same table leads to both. */
export const overlaps = (connected: readonly Connected[], pools: Pools, vrf: string | undefined): Overlap[] =>
  pools.flatMap(({ name, prefixes }) =>
    prefixes.flatMap((each) =>
      connected
        .filter((own) => own.vrf === vrf && contains(each, addressOf(own.address)))
        .map((own) => ({ pool: name, prefix: each, connected: own })),
    ),
  );

/**
 * Why what leads to a prefix stays as the router has it. An address without a network, of a loopback for example, has no
 * neighbours.
 */
export function whyStays(found: readonly Overlap[], to: Prefix): string | undefined {
  const one = found.find(
    ({ prefix: taken, connected: { address } }) =>
      lengthOf(address) < bitsOf(family(address)) && (contains(taken, addressOf(to)) || contains(to, addressOf(taken))),
  );
  return (
    one &&
    `stays as it is: ${one.connected.address} of the router's ${one.connected.interface} lies in pool ${one.pool}`
  );
}
