/**
 * Two routers as one (VyOS: high-availability vrrp; RFC 9568): for each family of a network a group, which VyOS does not mix,
 * and all of them go together.
 */
import type { Family } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { PairSpec, RouterSpec } from "../router.ts";
import { familiesOf, ofFamily } from "./policy.ts";

export const HIGH_AVAILABILITY: Path = ["high-availability"];
const VRRP: Path = [...HIGH_AVAILABILITY, "vrrp"];
/** The larger is the master (RFC 9568, 5.2.4); VyOS has 100 for who says nothing. */
const PRIORITY = { preferred: 200, other: 100 } as const;

type Network = PairSpec["networks"][number];

const groupName = ({ name }: PairSpec, { interface: link }: Network, of: Family): string =>
  `SELVEDGE-${name}-${link.replaceAll(".", "-")}-${of}`;

const groupsIn = ({ networks }: PairSpec): { readonly network: Network; readonly of: Family }[] =>
  networks.flatMap((network) => familiesOf(network.addresses).map((of) => ({ network, of })));

/** Names of the groups of a pair. */
export const groupsOfPair = (pair: PairSpec): string[] =>
  groupsIn(pair).map(({ network, of }) => groupName(pair, network, of));

export function pairs({ pair }: RouterSpec): Piece[] {
  if (pair === undefined) return [];
  const groups = groupsIn(pair).map(({ network, of }) => group(pair, network, of));
  const members = groupsOfPair(pair);
  const together = pathFrom(...VRRP, "sync-group", `SELVEDGE-${pair.name}`);
  if (members.length < 2) return groups;
  const paths = members.map((member) => pathFrom(...together, "member", member));
  return [...groups, { at: together, within: HIGH_AVAILABILITY, paths }];
}

function group(pair: PairSpec, network: Network, of: Family): Piece {
  const at = pathFrom(...VRRP, "group", groupName(pair, network, of));
  return {
    at,
    within: HIGH_AVAILABILITY,
    paths: [
      pathFrom(...at, "interface", network.interface),
      pathFrom(...at, "vrid", network.vrid),
      pathFrom(...at, "priority", pair.isPreferred ? PRIORITY.preferred : PRIORITY.other),
      pathFrom(...at, "advertise-interval", pair.advertiseSeconds),
      ...(pair.preempt ? [] : [pathFrom(...at, "no-preempt")]),
      ...ofFamily(network.addresses, of).map((address) => pathFrom(...at, "address", address)),
    ],
  };
}
