/** What stands on what on a router, by where it is: VyOS takes no commit in which something refers to what is not there. */
import type { Path } from "./path.ts";

/** What is in a later one may refer to what is in an earlier one; everything else to all of them. `*` is any word. */
const STAGES: readonly (readonly Path[])[] = [
  [
    "vrf name * table",
    "policy prefix-list",
    "policy prefix-list6",
    "firewall group",
    "qos policy",
    "vpn ipsec authentication",
    "vpn ipsec ike-group",
    "vpn ipsec esp-group",
    "load-balancing * backend",
  ],
  ["interfaces", "policy route-map"],
  [
    "protocols bgp system-as",
    "vrf name * protocols bgp system-as",
    "firewall ipv4 name",
    "firewall ipv6 name",
    "high-availability vrrp group",
  ],
  ["protocols bgp peer-group", "vrf name * protocols bgp peer-group"],
].map((places) => places.map((place) => place.split(" ")));

/** 0 for what others stand on. @param path of a piece, or of a node above some: that is where the first of those is */
export function stageOf(path: Path): number {
  const found = STAGES.findIndex((places) => places.some((place) => meets(path, place)));
  return found === -1 ? STAGES.length : found;
}

/** One is at, below or above the other. */
const meets = (path: Path, place: Path): boolean =>
  place.every((word, i) => i >= path.length || word === "*" || word === path[i]);
