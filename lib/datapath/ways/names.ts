/** Names of the links of the ways between nodes. */
import type { Family } from "#lib/address.ts";
import { shortOf } from "../uplink.ts";

/** Carries the node's own addresses among pods: a bridge without ports. */
export const NODE_LINK = "selvedge-node";

/** One for each family of the network between the nodes. */
export const vxlanLink = (underlay: Family): string => `svx${underlay}`;

export const WIREGUARD_LINK = "swg0";

/** One for each peer and family of the network between the nodes, 13 bytes. */
export const greLink = (peer: string, underlay: Family): string => `sg${shortOf("gre", peer, String(underlay))}`;

export const isWayLink = (name: string): boolean =>
  name === NODE_LINK || name === WIREGUARD_LINK || /^(svx[46]|sg[0-9a-f]{11}|se[46][0-9a-f]{11})$/.test(name);
