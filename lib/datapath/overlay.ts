/**
 * A tenant's segment across nodes: a VXLAN device as a port of the bridge in the tenant's router, while its packets
 * travel on the node's own network. Who the other nodes are is configured: each gets a copy of what is for everybody or for
 * nobody known, and the device learns from what comes behind which of them a pod is.
 */
import { type Address, type Family, family } from "#lib/address.ts";
import { ANY_IPV6, EVERYONE_ELSE, type Fact } from "#lib/state/fact.ts";
import { type Chain, RAW } from "./chain.ts";
import { shortOf } from "./uplink.ts";
import { outerPackets } from "./ways/chains.ts";

export interface Segment {
  /** Name of the network. */
  readonly network: string;
  readonly bridge: string;
  readonly vni: number;
  /** UDP. */
  readonly port: number;
  readonly peers: readonly Address[];
  readonly local?: Address;
  /** Link of the node that the other nodes are reached by. */
  readonly parent: string;
  /** Bytes, of the frames inside. */
  readonly mtu: number;
}

/** Outer Ethernet, IP, UDP and VXLAN headers (RFC 7348 section 5), bytes; 0 without a segment. */
export function overheadOf(segment: { readonly peers: readonly Address[] } | undefined): number {
  if (segment === undefined) return 0;
  return segment.peers.some((peer) => family(peer) === 6) ? 70 : 50;
}

/** 13 bytes. */
const segmentLinkName = (network: string): string => `sx${shortOf("segment", network)}`;

/** `host` is the node, `pod` the router. */
export function segmentFacts({ network, bridge, vni, port, peers, local, parent, mtu }: Segment): Fact[] {
  const link = segmentLinkName(network);
  const source = local ?? (peers.some((peer) => family(peer) === 6) ? ANY_IPV6 : undefined);
  return [
    {
      type: "link",
      at: "pod",
      name: link,
      kind: "vxlan",
      up: true,
      mtu,
      parent: { at: "host", name: parent },
      vxlan: { id: vni, port, ...(source === undefined ? {} : { local: source }), learning: true },
      master: bridge,
      noIpv6LinkLocal: true,
    },
    ...peers.map((to): Fact => ({ type: "forward", at: "pod", link, mac: EVERYONE_ELSE, to })),
  ];
}

/**
 * The other ends of the tunnels are on the node, whoever's the segments are: nobody but the peers puts frames into one, and
 * no packet that looks like one of theirs passes the node, which a peer would take for the node's own where its sender is
 * masqueraded.
 */
export function segmentChains(segments: readonly Pick<Segment, "vni" | "port" | "peers">[]): Chain[] {
  if (segments.length === 0) return [];
  const ports = [...new Set(segments.map(({ port }) => port))].sort((a, b) => a - b);
  // Those with the same peers, mostly all, share their rules.
  const alike = Map.groupBy(segments, ({ port, peers }) => JSON.stringify([port, peers.toSorted()]));
  return [
    {
      name: "segment_tunnels",
      called: { by: RAW, when: `udp dport { ${ports.join(", ")} }` },
      rules: [...alike.values()].flatMap((same) => {
        const { port, peers } = same[0] as (typeof segments)[number];
        const ours = outerPackets(port, `{ ${same.map(({ vni }) => vni).join(", ")} }`);
        return ([4, 6] as const).map((of) => `${ours} ${strangers(of, peers)} counter drop`);
      }),
    },
  ];
}

/** Without a peer of the family all are. */
function strangers(of: Family, peers: readonly Address[]): string {
  const known = peers.filter((peer) => family(peer) === of).toSorted();
  if (known.length === 0) return `meta nfproto ipv${of}`;
  return `${of === 4 ? "ip" : "ip6"} saddr != { ${[...new Set(known)].join(", ")} }`;
}
