/**
 * A tenant's segment across nodes: a VXLAN device as a port of the bridge in the tenant's router, while its packets
 * travel on the node's own network. Who the other nodes are is configured: each gets a copy of what is for everybody,
 * and the bridge learns behind which of them a pod is.
 */
import { type Address, family, type Mac } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import { shortOf } from "./uplink.ts";

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

/** Where frames for everybody, and for nobody known, go (linux/neighbour.h, the default entry of a VXLAN device). */
const EVERYBODY = "00:00:00:00:00:00" as Mac;

/** `host` is the node, `pod` the router. */
export function segmentFacts({ network, bridge, vni, port, peers, local, parent, mtu }: Segment): Fact[] {
  const link = segmentLinkName(network);
  return [
    {
      type: "link",
      at: "pod",
      name: link,
      kind: "vxlan",
      up: true,
      mtu,
      parent: { at: "host", name: parent },
      vxlan: { id: vni, port, ...(local === undefined ? {} : { local }) },
      master: bridge,
      noIpv6LinkLocal: true,
    },
    ...peers.map((to): Fact => ({ type: "forward", at: "pod", link, mac: EVERYBODY, to })),
  ];
}
