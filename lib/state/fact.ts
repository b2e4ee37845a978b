/**
 * The vocabulary of what a node can be: every link, address, route, … that Selvedge may want is one `Fact`.
 * Facts are plain JSON values with canonical strings, so that equality is comparison and a fact can be stored and printed.
 *
 * An absent optional field means "not managed": it is neither set nor compared.
 */
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { DriverFact, LentDevice, RdmaFact, VirtualFunctionFact } from "./device-fact.ts";
import type { Place } from "./place.ts";
import type { MirrorFact, RedirectFact, ShaperFact, TreeFact } from "./traffic-fact.ts";
import type { VlanProtocol } from "./vlan-protocol.ts";

export interface LinkFact {
  readonly type: "link";
  readonly at: Place;
  /** 1 to 15 bytes (linux/if.h, IFNAMSIZ). */
  readonly name: string;
  /** `device`: one that was there before us and is lent to the pod. `foreign`: not made by us, whatever it is. */
  readonly kind:
    | "veth"
    | "bridge"
    | "ifb"
    | "loopback"
    | "macvlan"
    | "ipvlan"
    | "vlan"
    | "tap"
    | "vxlan"
    | "gretap"
    | "erspan"
    | "gre"
    | "ip6gre"
    | "wireguard"
    | "device"
    | "foreign";
  readonly up: boolean;
  readonly mtu?: number;
  /**
   * What the MTU comes from, where nobody chose it: the node's path, or what it leaves on a segment of many nodes, and
   * so many bytes less. Never compared.
   */
  readonly mtuFrom?: { readonly of: "path" | "segment"; readonly lessBytes: number };
  readonly mac?: Mac;
  /** IFLA_IFALIAS: whose link this is. Every link that Selvedge makes carries `selvedge …` on the host's side. */
  readonly alias?: string;
  /** For veth: the other end. Making or removing either end makes or removes both. */
  readonly peer?: { readonly at: Place; readonly name: string };
  /** For macvlan, ipvlan, vlan and vxlan: the link that carries it (IFLA_LINK). */
  readonly parent?: { readonly at: Place; readonly name: string };
  /** For a vxlan without a parent: where its outer packets travel, if not where it is. Never compared. */
  readonly underlay?: Place;
  /** For macvlan (IFLA_MACVLAN_MODE) and ipvlan (IFLA_IPVLAN_MODE). */
  readonly mode?: MacvlanMode | IpvlanMode;
  /** For macvlan: how many broadcast frames may wait (IFLA_MACVLAN_BC_QUEUE_LEN). */
  readonly broadcastQueue?: number;
  /** For vlan: id 1 to 4094 (IFLA_VLAN_ID) and tag (IFLA_VLAN_PROTOCOL). */
  readonly vlan?: { readonly id: number; readonly protocol: VlanProtocol };
  /** For tap: who may open it besides root (TUNSETOWNER, TUNSETGROUP), and IFF_MULTI_QUEUE. */
  readonly tap?: { readonly owner?: number; readonly group?: number; readonly multiQueue?: boolean };
  /**
   * For vxlan: VNI 0 to 2^24 - 1, UDP port, and the source address of the outer packets; `ANY_IPV6` is any of IPv6, and
   * without one any of IPv4. Learning (IFLA_VXLAN_LEARNING): where a frame comes from is where those for its sender go;
   * otherwise forwarding entries alone tell.
   */
  readonly vxlan?: { readonly id: number; readonly port: number; readonly local?: Address; readonly learning?: true };
  /**
   * For gretap (Ethernet in GRE, RFC 1701) and erspan (type II): the other end, IPv4, and for erspan the session, 0 to 1023.
   * For gre and ip6gre (IP in GRE, RFC 2784): both ends, and the key (RFC 2890), 32 bits.
   */
  readonly gre?: {
    readonly remote: Address;
    readonly session?: number;
    readonly local?: Address;
    readonly key?: number;
  };
  /** For wireguard: UDP port, and the public half of its key in base64. The private half is never in a fact. */
  readonly wireguard?: { readonly publicKey: string; readonly port: number };
  /**
   * For device: which link of the host it is, and what it goes back to when the pod goes. At host it stays there, under
   * another name. Never compared.
   */
  readonly lent?: LentDevice;
  /** For bridge: IFLA_BR_VLAN_FILTERING. One of ours that filters gives its ports no VLAN by itself: facts name each. */
  readonly vlanFiltering?: boolean;
  /** Name of the bridge that this link is a port of. */
  readonly master?: string;
  /** IFLA_BRPORT_MODE. */
  readonly hairpin?: boolean;
  /**
   * For a port of a bridge: the bridge learns nothing from what comes in by it, sends nothing for everybody or for nobody
   * known out by it, and itself answers whoever asks for a neighbour behind it (linux/if_link.h: IFLA_BRPORT_LEARNING,
   * _UNICAST_FLOOD, _MCAST_FLOOD, _BCAST_FLOOD off, _NEIGH_SUPPRESS on).
   */
  readonly quiet?: boolean;
  /** IFF_PROMISC asked for by us. */
  readonly promiscuous?: boolean;
  /** IN6_ADDR_GEN_MODE_NONE (linux/if_link.h): no link-local address, no multicast groups: keeps ADD flat at 1,000 pods. */
  readonly noIpv6LinkLocal?: boolean;
  /** IPV4_DEVCONF_ROUTE_LOCALNET (linux/ip.h): needed where a host port is reached through 127.0.0.1. */
  readonly routeLocalnet?: boolean;
}

export type MacvlanMode = "bridge" | "private" | "vepa" | "passthru";
export type IpvlanMode = "l2" | "l3" | "l3s";

/**
 * A VLAN of a bridge's port, or of the bridge itself (linux/if_bridge.h, IFLA_BRIDGE_VLAN_INFO). A port of ours that has
 * any is on these and on no other, whatever its bridge gives to ports.
 */
export interface PortVlanFact {
  readonly type: "port-vlan";
  readonly at: Place;
  /** The port; the bridge's own name for the bridge itself. */
  readonly link: string;
  /** 1 to 4094. */
  readonly vid: number;
  /** BRIDGE_VLAN_INFO_PVID: what comes in without a tag belongs to it. */
  readonly pvid: boolean;
  /** BRIDGE_VLAN_INFO_UNTAGGED: leaves without a tag. */
  readonly untagged: boolean;
}

/** Of a vxlan: the outer packets are IPv6, and the routes choose their source. */
export const ANY_IPV6 = "::" as Address;

/** In a forwarding entry: where unknown and broadcast frames go, to every destination that has such an entry. */
export const EVERYONE_ELSE = "00:00:00:00:00:00" as Mac;

/** A forwarding entry of a vxlan device (`bridge fdb`), static. */
export interface ForwardFact {
  readonly type: "forward";
  readonly at: Place;
  readonly link: string;
  /** `EVERYONE_ELSE` has many destinations, any other has one. */
  readonly mac: Mac;
  /** NDA_DST: address of the other end of the tunnel. */
  readonly to: Address;
}

/** Another end of a wireguard device (linux/wireguard.h). */
export interface WireguardPeerFact {
  readonly type: "wireguard-peer";
  readonly at: Place;
  readonly link: string;
  /** Base64. */
  readonly publicKey: string;
  readonly endpoint: { readonly address: Address; readonly port: number };
  /** What it is believed to be the source of, and what is sent to it; no two peers have the same. Sorted as texts. */
  readonly allowed: readonly Prefix[];
}

/** An address that the bridge has behind one of its ports (`bridge fdb … master static`): not learnt, and not forgotten. */
export interface PortMacFact {
  readonly type: "port-mac";
  readonly at: Place;
  /** The port. */
  readonly link: string;
  readonly mac: Mac;
}

export interface AddressFact {
  readonly type: "address";
  readonly at: Place;
  readonly link: string;
  readonly address: Prefix;
  /** After adding: gratuitous ARP (RFC 5227 section 3) or unsolicited NA (RFC 4861 section 7.2.6), sent once by `apply`. Never compared. */
  readonly announce?: boolean;
  /** IFA_F_NOPREFIXROUTE: no automatic route for the prefix. Never compared. */
  readonly noPrefixRoute?: boolean;
  /**
   * The kernel itself takes the address away after this time unless it is added anew (IFA_CACHEINFO, ifa_valid), and
   * meanwhile prefers every other one as a source. Never compared.
   */
  readonly validSeconds?: number;
}

export interface RouteFact {
  readonly type: "route";
  readonly at: Place;
  /** `0.0.0.0/0` and `::/0` are written out. */
  readonly to: Prefix;
  readonly link: string;
  readonly via?: Address;
  /** The gateway is reachable on the link though no prefix says so (RTNH_F_ONLINK). Never compared. */
  readonly onlink?: boolean;
  /** Absent: main (254). */
  readonly table?: number;
  /** RTA_PRIORITY. Absent: the kernel's own (0 for IPv4, 1024 for IPv6). */
  readonly metric?: number;
  readonly mtu?: number;
  readonly advmss?: number;
  /** linux/rtnetlink.h: 0 universe, 253 link, 254 host. Absent: chosen by the kernel's convention (link without `via`). */
  readonly scope?: number;
  /** Preferred source address (RTA_PREFSRC). */
  readonly source?: Address;
  /** RTN_UNREACHABLE: who sends there is told that nobody is there. The link is `lo`. */
  readonly unreachable?: true;
}

/** Always NUD_PERMANENT. */
export interface NeighbourFact {
  readonly type: "neighbour";
  readonly at: Place;
  readonly link: string;
  readonly address: Address;
  readonly mac: Mac;
}

/** A policy routing rule (ip rule). Owned by priority: ours lie in 5300 to 5399. */
export interface RuleFact {
  readonly type: "rule";
  readonly at: Place;
  readonly family: 4 | 6;
  readonly priority: number;
  readonly table: number;
  readonly from?: Prefix;
  readonly iif?: string;
  /** FRA_FWMARK and FRA_FWMASK: packets whose mark, of the bits of the mask, is this. */
  readonly mark?: { readonly value: number; readonly mask: number };
}

/** As `ip rule` has it: `0x1000000/0xff000000`. */
export const markText = ({ value, mask }: NonNullable<RuleFact["mark"]>): string =>
  `0x${value.toString(16)}/0x${mask.toString(16)}`;

export interface SysctlFact {
  readonly type: "sysctl";
  readonly at: Place;
  /** Path below /proc/sys with slashes: `net/ipv4/ip_forward`. */
  readonly key: string;
  readonly value: string;
}

/**
 * The skeleton of one of our nftables tables: chains, rules, and the declarations of its sets and maps.
 * Elements are facts of their own. `text` is applied in one transaction and keeps existing elements.
 */
export interface TableFact {
  readonly type: "table";
  readonly at: "host";
  readonly family: "inet" | "bridge";
  readonly name: string;
  readonly text: string;
}

/** Name of the flowtable of our table inet. */
export const OFFLOADED = "offloaded";

/**
 * What comes in by a link for an established connection goes to its pod by the flowtable `OFFLOADED` of our table inet,
 * past its chains and past connection tracking. Goes with the link.
 */
export interface OffloadFact {
  readonly type: "offload";
  readonly at: "host";
  readonly link: string;
}

/** One element of a set or map in one of our tables. All are exact keys in hash sets (never intervals) except where the set's declaration says so. */
export interface ElementFact {
  readonly type: "element";
  readonly at: "host";
  readonly family: "inet" | "bridge";
  readonly table: string;
  readonly set: string;
  /** One entry for each part of a concatenated key, each in its canonical text. */
  readonly key: readonly string[];
  /** For maps: the parts of the data. */
  readonly value?: readonly string[];
}

export type Fact =
  | LinkFact
  | AddressFact
  | RouteFact
  | NeighbourFact
  | RuleFact
  | SysctlFact
  | ShaperFact
  | TreeFact
  | RedirectFact
  | MirrorFact
  | PortVlanFact
  | ForwardFact
  | PortMacFact
  | WireguardPeerFact
  | VirtualFunctionFact
  | DriverFact
  | RdmaFact
  | TableFact
  | ElementFact
  | OffloadFact;

/** What makes two facts speak of the same thing: the same thing may be there with other properties. */
export function identity(fact: Fact): string {
  switch (fact.type) {
    case "link":
      return `link ${fact.at} ${fact.name}`;
    case "address":
      return `address ${fact.at} ${fact.link} ${fact.address}`;
    case "route":
      return `route ${fact.at} ${fact.table ?? 254} ${fact.to} ${fact.metric ?? "-"} ${fact.link}`;
    case "neighbour":
      return `neighbour ${fact.at} ${fact.link} ${fact.address}`;
    case "rule":
      return `rule ${fact.at} ${fact.family} ${fact.priority} ${fact.table} ${fact.from ?? "all"} ${fact.iif ?? "-"}${fact.mark === undefined ? "" : ` ${markText(fact.mark)}`}`;
    case "sysctl":
      return `sysctl ${fact.at} ${fact.key}`;
    case "shaper":
    case "tree":
      return `shaper ${fact.at} ${fact.link}`;
    case "redirect":
      return `redirect ${fact.at} ${fact.link}${fact.hook === undefined ? "" : ` ${fact.hook}`}`;
    case "mirror":
      return `mirror ${fact.at} ${fact.link} ${fact.hook} ${fact.slot}`;
    case "port-vlan":
      return `port-vlan ${fact.at} ${fact.link} ${fact.vid}`;
    case "forward":
      return `forward ${fact.at} ${fact.link} ${fact.mac} ${fact.to}`;
    case "port-mac":
      return `port-mac ${fact.at} ${fact.link} ${fact.mac}`;
    case "wireguard-peer":
      return `wireguard-peer ${fact.at} ${fact.link} ${fact.publicKey}`;
    case "driver":
      return `driver ${fact.pci}`;
    case "rdma":
      return `rdma ${fact.name}`;
    case "vf":
      return `vf ${fact.link} ${fact.vf}`;
    case "offload":
      return `offload ${fact.link}`;
    case "table":
      return `table ${fact.family} ${fact.name}`;
    case "element":
      return `element ${fact.family} ${fact.table} ${fact.set} ${fact.key.join(" . ")}`;
  }
}
