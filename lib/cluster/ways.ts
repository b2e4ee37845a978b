/**
 * Which way packets take from this node to another: decided for each pair of nodes and for each family of pods' addresses
 * from what both say of themselves, what is configured, and the device by which this node reaches the other.
 */
import { type Address, contains, type Family, family } from "#lib/address.ts";
import type { Egress } from "#lib/state/egress.ts";
import type { NodeRecord, Way } from "./records.ts";

export interface WayOptions {
  readonly way: "auto" | "cross-subnet" | Way;
  /** In WireGuard, whichever the way. */
  readonly encrypt: boolean;
}

/** Everything between the nodes travels in WireGuard, alone or with another tunnel in it. */
export const isEncrypted = ({ encrypt, way }: WayOptions): boolean => encrypt || way === "wireguard";

export interface ChosenWay {
  readonly way: Way;
  /** WireGuard is the way or under it. */
  readonly encrypted: boolean;
  /** Where outer packets go; for a direct way the next hop. Of either family. */
  readonly to: Address;
  /** Device by which outer packets leave. */
  readonly egress: Egress;
  /** Largest packet of a pod that arrives whole, bytes. */
  readonly mtuBytes: number;
  /** For `selvedgectl peers`. */
  readonly reason: string;
}

export interface NoWay {
  readonly reason: string;
}

export const isChosen = (way: ChosenWay | NoWay): way is ChosenWay => "way" in way;

/** Outer headers in bytes, by the family of the outer packet: IP, and what stands between it and the pod's packet. */
const OVERHEAD = {
  direct: { 4: 0, 6: 0 },
  /** RFC 7348 section 5: UDP 8, VXLAN 8, inner Ethernet 14. */
  vxlan: { 4: 50, 6: 70 },
  /** RFC 2784 and RFC 2890: 4, and 4 for the key. */
  gre: { 4: 28, 6: 48 },
  /** UDP 8, header and authenticator 32 (wireguard.com/protocol, transport data). */
  wireguard: { 4: 60, 6: 80 },
} as const satisfies Readonly<Record<Way, Readonly<Record<Family, number>>>>;

/**
 * Bytes that the way takes of each packet. Within WireGuard the outer packets of another tunnel go to addresses of the
 * nodes' own in the cluster, of the family `inner`.
 */
export const overheadOf = (way: Way, outer: Family, encrypted = false, inner: Family = outer): number =>
  encrypted && way !== "wireguard" ? OVERHEAD.wireguard[outer] + OVERHEAD[way][inner] : OVERHEAD[way][outer];

export interface Pair {
  readonly own: NodeRecord;
  readonly peer: NodeRecord;
  /** What this node's routing table says of an address of the peer; undefined: unreachable. */
  readonly egressTo: (address: Address) => Egress | undefined;
}

/** The way for pods' addresses of one family. */
export function wayTo(pair: Pair, pods: Family, options: WayOptions): ChosenWay | NoWay {
  const wanted = options.way;
  if (wanted === "direct" || wanted === "auto" || wanted === "cross-subnet") {
    const direct = directTo(pair, pods, wanted === "direct");
    if (direct !== undefined)
      return options.encrypt ? tunnelTo(pair, "wireguard", options, "encrypted, instead of directly") : direct;
    if (wanted === "direct") return { reason: noDirect(pair, pods) };
  }
  const [candidates, why] = tunnelsOf(wanted);
  const shared = candidates.find((way) => has(pair.own, way) && has(pair.peer, way));
  if (shared !== undefined) return tunnelTo(pair, shared, options, why);
  const lacking = candidates.map((way) => `${has(pair.own, way) ? pair.peer.name : pair.own.name} has no ${way}`);
  return { reason: lacking.join(", ") };
}

const has = (node: NodeRecord, way: Way): boolean => node.ways.includes(way);

function tunnelsOf(wanted: WayOptions["way"]): [candidates: readonly Way[], why: string] {
  switch (wanted) {
    case "auto":
      return [["vxlan", "gre", "wireguard"], "not on one segment"];
    case "cross-subnet":
      return [["vxlan"], "not on one segment"];
    case "direct":
      return [[], ""];
    case "vxlan":
    case "gre":
    case "wireguard":
      return [[wanted], "configured"];
  }
}

/**
 * On one segment the peer itself is the next hop; else, where the network between the nodes is said to route pods'
 * addresses, whoever is the next hop to the peer. An IPv6 gateway may lead to IPv4 destinations (RFC 5549), not the
 * other way round.
 */
function directTo({ own, peer, egressTo }: Pair, pods: Family, isRouted: boolean): ChosenWay | undefined {
  const fitting = peer.addresses.filter((address) => pods === 4 || family(address) === 6).sort(inOrderOf(pods));
  const found = fitting.flatMap((to) => egressTo(to) ?? []);
  const near = found.find(({ to, via }) => via === undefined && own.segments.some((segment) => contains(segment, to)));
  const egress = near ?? (isRouted ? found[0] : undefined);
  if (egress === undefined) return undefined;
  return {
    way: "direct",
    encrypted: false,
    to: egress.via ?? egress.to,
    egress,
    mtuBytes: pathTo(peer, egress),
    reason: because(peer, egress, near === undefined ? "configured" : "on one segment"),
  };
}

/** Largest packet that leaves here and is taken there, bytes. */
const pathTo = ({ mtuBytes }: NodeRecord, egress: Egress): number => Math.min(egress.mtuBytes, mtuBytes ?? Infinity);

const because = (peer: NodeRecord, egress: Egress, why: string): string =>
  pathTo(peer, egress) < egress.mtuBytes ? `${why}; ${peer.name} takes ${peer.mtuBytes} bytes` : why;

/** Addresses of the pods' own family come first; else the order stays. */
const inOrderOf = (pods: Family) => (a: Address, b: Address) => Number(family(a) !== pods) - Number(family(b) !== pods);

const noDirect = ({ peer }: Pair, pods: Family): string =>
  pods === 6 && peer.addresses.every((address) => family(address) === 4)
    ? `${peer.name} has no IPv6 address, which a direct way for IPv6 needs`
    : `no route to ${peer.name}`;

function tunnelTo(pair: Pair, way: Way, { encrypt }: WayOptions, why: string): ChosenWay | NoWay {
  const { own, peer } = pair;
  const encrypted = encrypt || way === "wireguard";
  const without = encrypted
    ? [own, peer].find(({ wireguard }) => (wireguard?.publicKeys.length ?? 0) === 0)
    : undefined;
  if (without !== undefined) return { reason: `${without.name} has no WireGuard key` };
  const egress = underlayTo(pair);
  if (egress === undefined) return { reason: `no route to ${peer.name}` };
  const within = encrypted && way !== "wireguard" ? innerEnds(own, peer) : undefined;
  if (encrypted && way !== "wireguard" && within === undefined)
    return { reason: `${own.name} and ${peer.name} have no addresses in the cluster of one family yet` };
  const outer = family(egress.to);
  const overhead = overheadOf(way, outer, encrypted, within === undefined ? outer : family(within));
  return {
    way,
    encrypted,
    to: within ?? egress.to,
    egress,
    mtuBytes: pathTo(peer, egress) - overhead,
    reason: because(peer, egress, encrypted && way !== "wireguard" ? `${why}, encrypted` : why),
  };
}

/** The nodes' preferred family first: that of this node's first address. */
function underlayTo({ own, peer, egressTo }: Pair): Egress | undefined {
  const families = [...new Set(own.addresses.map(family))];
  for (const each of families)
    for (const address of peer.addresses) {
      const egress = family(address) === each ? egressTo(address) : undefined;
      if (egress !== undefined) return egress;
    }
  return undefined;
}

/** The peer's own address among pods, of a family that both have one of. */
function innerEnds(own: NodeRecord, peer: NodeRecord): Address | undefined {
  const families = new Set(own.tunnelAddresses.map(family));
  return peer.tunnelAddresses.find((address) => families.has(family(address)));
}

/** The most that any way that may be taken to any node takes of each packet, bytes. */
export function largestOverhead({ addresses, ways }: NodeRecord, { way, encrypt }: WayOptions): number {
  const outer = addresses[0] === undefined ? 4 : family(addresses[0]);
  const [candidates] = tunnelsOf(way);
  const tunnel = candidates.find((each) => ways.includes(each)) ?? candidates[0] ?? "direct";
  if (tunnel === "direct") return encrypt ? overheadOf("wireguard", outer) : 0;
  // Inside WireGuard the family is that of the nodes' addresses among pods; IPv6 takes more.
  return overheadOf(tunnel, outer, encrypt, encrypt ? 6 : outer);
}
