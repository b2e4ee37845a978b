/**
 * Every set and map of our nftables tables: the declarations in lib/datapath/tables.ts are rendered from this table and
 * the kernel's codec of elements reads its types from it, so the two cannot differ.
 *
 * All are hash sets with exact keys: one element is added in microseconds at any size, which interval sets are not.
 */

/** nft's own names of the types of a key or of data (`nft describe`). */
export type PartType =
  | "ifname"
  | "ether_addr"
  | "ipv4_addr"
  | "ipv6_addr"
  | "inet_proto"
  | "inet_service"
  | "classid"
  /** Of a packet, 32 bits in hexadecimal: `0x1000000`. */
  | "mark"
  /** Has no name in nft: declared by the expression `vlan id`. */
  | "vlan_id";

export interface SetShape {
  readonly family: "inet" | "bridge";
  readonly table: "selvedge";
  readonly name: string;
  /** Types of the parts of the key; more than one is a concatenation. */
  readonly key: readonly PartType[];
  /** Types of the parts of the data: present makes it a map. */
  readonly value?: readonly PartType[];
}

export const SETS = [
  /** Links whose senders are held to the addresses below; traffic of other links is not looked at. */
  { family: "inet", table: "selvedge", name: "guarded", key: ["ifname"] },
  { family: "inet", table: "selvedge", name: "allowed_mac", key: ["ifname", "ether_addr"] },
  { family: "inet", table: "selvedge", name: "allowed4", key: ["ifname", "ether_addr", "ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "allowed6", key: ["ifname", "ether_addr", "ipv6_addr"] },
  /** Links by which packets of established connections take the short way to pods on guarded links. */
  { family: "inet", table: "selvedge", name: "offloading", key: ["ifname"] },
  /** Pods whose address does not leave the cluster. */
  { family: "inet", table: "selvedge", name: "masq4", key: ["ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "masq6", key: ["ipv6_addr"] },
  /** Host ports on every address of the node: protocol and port to the pod's address and port. */
  {
    family: "inet",
    table: "selvedge",
    name: "ports4",
    key: ["inet_proto", "inet_service"],
    value: ["ipv4_addr", "inet_service"],
  },
  {
    family: "inet",
    table: "selvedge",
    name: "ports6",
    key: ["inet_proto", "inet_service"],
    value: ["ipv6_addr", "inet_service"],
  },
  /** Host ports on one address of the node. */
  {
    family: "inet",
    table: "selvedge",
    name: "ports4_ip",
    key: ["ipv4_addr", "inet_proto", "inet_service"],
    value: ["ipv4_addr", "inet_service"],
  },
  {
    family: "inet",
    table: "selvedge",
    name: "ports6_ip",
    key: ["ipv6_addr", "inet_proto", "inet_service"],
    value: ["ipv6_addr", "inet_service"],
  },
  /** Links on which we set route_localnet: nothing that comes in by them may name 127.0.0.0/8. */
  { family: "inet", table: "selvedge", name: "localnet", key: ["ifname"] },
  /** Senders of translated traffic whose answer would bypass the node: by their own link, or by their bridge. */
  { family: "inet", table: "selvedge", name: "hairpin4", key: ["ifname", "ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "hairpin6", key: ["ifname", "ipv6_addr"] },
  /** Senders whose packets carry the node's code point and priority: which, by link and MAC address. */
  { family: "inet", table: "selvedge", name: "marked", key: ["ifname", "ether_addr"] },
  { family: "inet", table: "selvedge", name: "code_point", key: ["ifname", "ether_addr"], value: ["classid"] },
  { family: "inet", table: "selvedge", name: "prio_class", key: ["ifname", "ether_addr"], value: ["classid"] },
  /** The node's ends of the links to tenants' routers. */
  { family: "inet", table: "selvedge", name: "uplinks", key: ["ifname"] },
  /** Addresses of the other nodes on the networks between them. */
  { family: "inet", table: "selvedge", name: "nodes4", key: ["ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "nodes6", key: ["ipv6_addr"] },
  /** Who leaves the cluster by an address of its own: by the sender's address the mark of its packets. */
  { family: "inet", table: "selvedge", name: "egress4", key: ["ipv4_addr"], value: ["mark"] },
  { family: "inet", table: "selvedge", name: "egress6", key: ["ipv6_addr"], value: ["mark"] },
  /** The addresses that this node holds for them, by mark. */
  { family: "inet", table: "selvedge", name: "egress_by4", key: ["mark"], value: ["ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "egress_by6", key: ["mark"], value: ["ipv6_addr"] },
  /** In a tenant's router: addresses on the node that lead to the tenant's pods. */
  { family: "inet", table: "selvedge", name: "probe4", key: ["ipv4_addr"], value: ["ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "probe6", key: ["ipv6_addr"], value: ["ipv6_addr"] },
  /** Network policies: which class of peers a pod is of, and for whom a packet is looked at (lib/policy/elements.ts). */
  { family: "inet", table: "selvedge", name: "policy_pods4", key: ["ipv4_addr"], value: ["classid"] },
  { family: "inet", table: "selvedge", name: "policy_pods6", key: ["ipv6_addr"], value: ["classid"] },
  { family: "inet", table: "selvedge", name: "confined_in4", key: ["ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "confined_in6", key: ["ipv6_addr"] },
  { family: "inet", table: "selvedge", name: "confined_out4", key: ["ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "confined_out6", key: ["ipv6_addr"] },
  { family: "inet", table: "selvedge", name: "policy_self4", key: ["ipv4_addr", "ipv4_addr"] },
  { family: "inet", table: "selvedge", name: "policy_self6", key: ["ipv6_addr", "ipv6_addr"] },
  /** By pod and class of its peer: the row that holds. */
  { family: "inet", table: "selvedge", name: "policy_in4", key: ["ipv4_addr", "classid"], value: ["classid"] },
  { family: "inet", table: "selvedge", name: "policy_in6", key: ["ipv6_addr", "classid"], value: ["classid"] },
  { family: "inet", table: "selvedge", name: "policy_out4", key: ["ipv4_addr", "classid"], value: ["classid"] },
  { family: "inet", table: "selvedge", name: "policy_out6", key: ["ipv6_addr", "classid"], value: ["classid"] },
  /** Rows that deny, and for what a row says the contrary. */
  { family: "inet", table: "selvedge", name: "policy_denies", key: ["classid"] },
  { family: "inet", table: "selvedge", name: "policy_protocols", key: ["classid", "inet_proto"] },
  { family: "inet", table: "selvedge", name: "policy_ports", key: ["classid", "inet_proto", "inet_service"] },
  /** Ports of bridges, the same as in `inet`. */
  { family: "bridge", table: "selvedge", name: "guarded", key: ["ifname"] },
  { family: "bridge", table: "selvedge", name: "allowed_mac", key: ["ifname", "ether_addr"] },
  /** VLANs whose tagged frames a trunk port may send. */
  { family: "bridge", table: "selvedge", name: "allowed_vlan", key: ["ifname", "vlan_id"] },
  { family: "bridge", table: "selvedge", name: "allowed4", key: ["ifname", "ether_addr", "ipv4_addr"] },
  { family: "bridge", table: "selvedge", name: "allowed6", key: ["ifname", "ether_addr", "ipv6_addr"] },
  { family: "bridge", table: "selvedge", name: "marked", key: ["ifname", "ether_addr"] },
  { family: "bridge", table: "selvedge", name: "code_point", key: ["ifname", "ether_addr"], value: ["classid"] },
  { family: "bridge", table: "selvedge", name: "prio_class", key: ["ifname", "ether_addr"], value: ["classid"] },
] as const satisfies readonly SetShape[];

/** Name of a set or map of one family's table. */
export type SetName<F extends SetShape["family"]> = Extract<(typeof SETS)[number], { family: F }>["name"];

/** The shape of a set by table and name; undefined when it is none of ours. */
export const setShape = (family: string, table: string, name: string): SetShape | undefined =>
  SETS.find((s) => s.family === family && s.table === table && s.name === name);
