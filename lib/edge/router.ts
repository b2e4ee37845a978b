/** A router as it is configured, and what of the cluster it has to do with. */
import type { Address, Prefix } from "#lib/address.ts";
import type { Connected } from "./connected.ts";

export interface RouterSpec {
  readonly name: string;
  /** Pools that are reached by it; none: those of exposed networks. */
  readonly pools: readonly string[];
  readonly static?: StaticSpec;
  readonly bgp?: BgpSpec;
  readonly nat: NatSpec;
  readonly groups: readonly GroupSpec[];
  readonly firewall?: FirewallSpec;
  readonly forwarding?: ForwardingSpec;
  readonly loadBalancers: readonly LoadBalancerSpec[];
  readonly virtualServers: readonly VirtualServerSpec[];
  readonly vrfs: readonly VrfSpec[];
  readonly shapers: readonly ShaperSpec[];
  readonly sites: readonly SiteSpec[];
  readonly legs: readonly LegSpec[];
  /** That it is one of. */
  readonly pair?: PairSpec;
  /** Of its own interfaces, as far as they are known. */
  readonly connected?: readonly Connected[];
}

export interface VrfSpec {
  readonly name: string;
  /** Its routing table; absent: it is the operator's. */
  readonly table?: number;
  /** That static routes lead to in it, and not where `StaticSpec.vrf` says. */
  readonly pools?: readonly string[];
  /** VRFs that routes of this one are in as well; `default`: the router's own table. */
  readonly leaks?: readonly string[];
}

/** The end of a tunnel into a tenant's networks. */
export interface LegSpec {
  readonly name: string;
  /** `vxlan100`, `tun10` */
  readonly interface: string;
  /** Of the interface, with the length of its network. */
  readonly addresses: readonly Prefix[];
  readonly vrf?: string;
  /** Bytes, of the packets inside; absent: what 1500 outside have room for. */
  readonly mtu?: number;
  /** What is reached by a GRE. */
  readonly networks: readonly Prefix[];
  /** One of the two. */
  readonly vxlan?: VxlanSpec;
  readonly gre?: GreSpec;
}

export interface VxlanSpec {
  readonly vni: number;
  /** UDP. */
  readonly port: number;
  readonly local: Address;
  /** Who gets what is for everybody; none: all nodes. */
  readonly remotes: readonly Address[];
}

export interface GreSpec {
  readonly local: Address;
  readonly remote: Address;
  /** RFC 2890. */
  readonly key?: number;
}

/** Two routers with addresses that one of them has at a time, by VRRP. */
export interface PairSpec {
  readonly name: string;
  /** This one is the master while it can be. */
  readonly isPreferred: boolean;
  /** The preferred one takes over again when it is back. */
  readonly preempt: boolean;
  readonly advertiseSeconds: number;
  readonly networks: readonly {
    readonly interface: string;
    /** 1 to 255. */
    readonly vrid: number;
    /** With the length of their network. */
    readonly addresses: readonly Prefix[];
  }[];
}

/** What leaves by an interface. */
export interface ShaperSpec {
  readonly interface: string;
  /** Bits per second of all. */
  readonly rate: number;
  /** Together fewer than 100 percent; the rest is everything else's. */
  readonly classes: readonly { readonly dscp: number; readonly percent: number; readonly priority?: number }[];
}

/** Another cluster, behind a tunnel. */
export interface SiteSpec {
  readonly name: string;
  /** `wg10`, `vti10` */
  readonly interface: string;
  /** Of the interface, with the length of its network. */
  readonly addresses: readonly Prefix[];
  /** What is reached there. */
  readonly networks: readonly Prefix[];
  /** Of static routes, which there are without `bgp`. */
  readonly distance?: number;
  readonly bgp?: SiteBgpSpec;
  /** One of the two. */
  readonly wireguard?: WireguardSpec;
  readonly ipsec?: IpsecSpec;
}

/** A session within the tunnel. */
export interface SiteBgpSpec {
  /** The router's. */
  readonly as: number;
  readonly remoteAs: number;
  /** The other router, on a network of the tunnel's `addresses`. */
  readonly neighbour: Address;
  readonly bfd: boolean;
  /** Of two tunnels to one network that with the larger is used. */
  readonly localPreference?: number;
}

/** Keys are base64. */
export interface WireguardSpec {
  readonly privateKey: string;
  /** UDP. */
  readonly port: number;
  readonly publicKey: string;
  readonly presharedKey?: string;
  /** Absent: the other side calls. */
  readonly endpoint?: { readonly address: Address; readonly port: number };
  readonly keepaliveSeconds?: number;
}

export interface IpsecSpec {
  readonly local: Address;
  readonly remote: Address;
  readonly secret: string;
}

export interface StaticSpec {
  /** `pools`: each pool by every living node. `blocks`: each node's part of the pools by that node. */
  readonly routes: "pools" | "blocks";
  /** Administrative distance; absent: VyOS's own, 1. */
  readonly distance?: number;
  /** BFD with the node, under a profile of the router's own; `true`: without one. */
  readonly bfd?: string | true;
  readonly vrf?: string;
}

export interface BgpSpec {
  /** The router's. */
  readonly as: number;
  readonly nodesAs: number | "external" | "internal";
  /** That FRR on the nodes calls; none: what speaks on the nodes is somebody else's. */
  readonly addresses: readonly Address[];
  /** Prefixes that nodes call from. None: every node is a neighbour by its address. */
  readonly listen: readonly Prefix[];
  readonly password?: string;
  readonly bfd?: string | true;
  /** Hops; absent: nodes are on link. */
  readonly multihop?: number;
  /** Paths to one destination that are used at once. */
  readonly multipath: number;
  /** Prefixes that a node may announce, of each family. */
  readonly maximumPrefixes?: number;
  /** `65000:100`, added to what nodes announce. */
  readonly communities: readonly string[];
  readonly localPreference?: number;
  /** Nodes are told a default route. */
  readonly defaultRoute: boolean;
  readonly vrf?: string;
}

export interface NatSpec {
  /** Number of the first rule; ours are the 4,000 from there on. */
  readonly firstRule: number;
  readonly masquerade: readonly { readonly interface: string; readonly pools?: readonly string[] }[];
  readonly egress: readonly {
    readonly source: Prefix;
    readonly address: Address;
    readonly interface: string;
  }[];
  readonly oneToOne: readonly {
    readonly outside: Address;
    readonly inside: Address;
    readonly interface: string;
  }[];
  readonly publish: readonly PublishSpec[];
}

export interface PublishSpec {
  readonly name: string;
  readonly interface: string;
  /** Absent: any of the router's. */
  readonly address?: Address;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly to: { readonly address: Address; readonly port: number };
}

export interface GroupSpec {
  readonly name: string;
  /** `pools`: networks of the pools. `nodes`: addresses of the nodes. `pods`: addresses of those that are chosen. */
  readonly of: "pools" | "nodes" | "pods";
  readonly pools?: readonly string[];
  readonly pods?: PodChoice;
}

/** Pods of the whole cluster. All that is named must hold. */
export interface PodChoice {
  /** With `*` for any letters. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** None that is told not to be ready, or is going. */
  readonly ready?: boolean;
  /** A router that would need more entries for them keeps those that it has. */
  readonly most: number;
}

/** Rules for what the router forwards. */
export interface FirewallSpec {
  readonly chain: string;
  /** Number of the rule of the base chain that leads there. Absent: the operator's own rules do. */
  readonly jumpRule?: number;
  /** What becomes of packets that no rule is about. */
  readonly otherwise: "return" | "accept" | "drop" | "reject";
  readonly rules: readonly FirewallRuleSpec[];
}

export interface FirewallRuleSpec {
  readonly name: string;
  readonly action: "accept" | "drop" | "reject" | "return";
  /** Absent: anybody. */
  readonly from?: FirewallEnd;
  readonly to?: FirewallEnd;
  readonly protocol?: "tcp" | "udp" | "icmp";
  /** Destination ports; none: all. */
  readonly ports: readonly number[];
  readonly log: boolean;
}

/** A group of the router's, by its name, or a prefix. */
export type FirewallEnd = { readonly group: string } | { readonly prefix: Prefix };

export interface ForwardingSpec {
  readonly zones: readonly { readonly domain: string; readonly servers: readonly Address[] }[];
}

/** Who answers: one of the two. */
export interface AnsweringSpec {
  readonly servers?: readonly { readonly address: Address; readonly port: number }[];
  readonly pods?: PodChoice & { readonly port: number };
}

/** HAProxy on the router, TCP. */
export interface LoadBalancerSpec extends AnsweringSpec {
  readonly name: string;
  readonly address?: Address;
  readonly port: number;
}

/** IPVS on the router. */
export interface VirtualServerSpec extends AnsweringSpec {
  readonly name: string;
  readonly address: Address;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  readonly algorithm: "round-robin" | "least-connection" | "source-hashing";
  /** Absent: VyOS's own, 300. */
  readonly persistenceSeconds?: number;
}

export interface EdgeView {
  readonly pools: readonly {
    readonly name: string;
    readonly prefixes: readonly Prefix[];
    readonly isExposed: boolean;
  }[];
  readonly nodes: readonly EdgeNode[];
  /** By which pods leave the cluster. */
  readonly egress: readonly EdgeEgress[];
  /** Addresses by choice (`choiceText`); absent: no router chooses pods. */
  readonly pods?: ReadonlyMap<string, readonly Address[]>;
}

export interface EdgeEgress {
  readonly address: Address;
  /** Name of the node that has it; absent: none. */
  readonly node?: string;
}

export interface EdgeNode {
  readonly name: string;
  /** The preferred of each family first. */
  readonly addresses: readonly Address[];
  /** Those that are not keep nothing. */
  readonly isAlive: boolean;
  readonly destinations: readonly { readonly pool: string; readonly prefix: Prefix }[];
}
