/**
 * What a kernel may lack: for each feature the option that builds it and the module that holds it (Kconfig and Makefile
 * of v6.12). Refusals name them, `selvedgectl doctor` prints them, and `Kernel.features` finds out which are there.
 */

export interface FeatureRow {
  /** In a sentence: `this kernel has no …`. */
  readonly what: string;
  readonly option: string;
  /** Absent where the option is a part of another module, which then has to be built anew. */
  readonly module?: string;
  /** By which it is had. Runtimes keep it from containers that are not privileged. */
  readonly device?: string;
}

export const FEATURES = {
  veth: { what: "veth pairs", option: "CONFIG_VETH", module: "veth" },
  bridge: { what: "bridges", option: "CONFIG_BRIDGE", module: "bridge" },
  "bridge-vlan": { what: "VLAN filtering of bridges", option: "CONFIG_BRIDGE_VLAN_FILTERING" },
  macvlan: { what: "macvlan", option: "CONFIG_MACVLAN", module: "macvlan" },
  ipvlan: { what: "ipvlan", option: "CONFIG_IPVLAN", module: "ipvlan" },
  "ipvlan-l3s": { what: "mode l3s of ipvlan", option: "CONFIG_IPVLAN_L3S" },
  vlan: { what: "VLAN links", option: "CONFIG_VLAN_8021Q", module: "8021q" },
  tap: { what: "tap", option: "CONFIG_TUN", module: "tun", device: "/dev/net/tun" },
  vxlan: { what: "VXLAN", option: "CONFIG_VXLAN", module: "vxlan" },
  ifb: { what: "ifb", option: "CONFIG_IFB", module: "ifb" },
  vrf: { what: "VRFs", option: "CONFIG_NET_VRF", module: "vrf" },
  gre: { what: "GRE", option: "CONFIG_NET_IPGRE", module: "ip_gre" },
  gre6: { what: "GRE over IPv6", option: "CONFIG_IPV6_GRE", module: "ip6_gre" },
  geneve: { what: "Geneve", option: "CONFIG_GENEVE", module: "geneve" },
  wireguard: { what: "WireGuard", option: "CONFIG_WIREGUARD", module: "wireguard" },
  nftables: { what: "nftables with tables inet", option: "CONFIG_NF_TABLES_INET", module: "nf_tables" },
  "nft-bridge": { what: "nftables with tables bridge", option: "CONFIG_NF_TABLES_BRIDGE", module: "nf_tables" },
  "nft-nat": { what: "address translation", option: "CONFIG_NFT_NAT", module: "nft_nat" },
  conntrack: { what: "connection tracking", option: "CONFIG_NF_CT_NETLINK", module: "nf_conntrack_netlink" },
  "bridge-conntrack": {
    what: "connection tracking on bridges",
    option: "CONFIG_NF_CONNTRACK_BRIDGE",
    module: "nf_conntrack_bridge",
  },
  "flow-offload": { what: "offloading of flows", option: "CONFIG_NFT_FLOW_OFFLOAD", module: "nft_flow_offload" },
  tbf: { what: "the queue tbf", option: "CONFIG_NET_SCH_TBF", module: "sch_tbf" },
  htb: { what: "the queue htb", option: "CONFIG_NET_SCH_HTB", module: "sch_htb" },
  prio: { what: "the queue prio", option: "CONFIG_NET_SCH_PRIO", module: "sch_prio" },
  fq_codel: { what: "the queue fq_codel", option: "CONFIG_NET_SCH_FQ_CODEL", module: "sch_fq_codel" },
  netem: { what: "the queue netem", option: "CONFIG_NET_SCH_NETEM", module: "sch_netem" },
  clsact: { what: "the queue clsact", option: "CONFIG_NET_SCH_INGRESS", module: "sch_ingress" },
  u32: { what: "the classifier u32", option: "CONFIG_NET_CLS_U32", module: "cls_u32" },
  matchall: { what: "the classifier matchall", option: "CONFIG_NET_CLS_MATCHALL", module: "cls_matchall" },
  flower: { what: "the classifier flower", option: "CONFIG_NET_CLS_FLOWER", module: "cls_flower" },
  mirred: { what: "the action mirred", option: "CONFIG_NET_ACT_MIRRED", module: "act_mirred" },
  "sr-iov": { what: "SR-IOV", option: "CONFIG_PCI_IOV" },
} as const satisfies Readonly<Record<string, FeatureRow>>;

export type FeatureName = keyof typeof FEATURES;

/** One feature of the kernel at hand. */
export interface Feature extends FeatureRow {
  readonly name: FeatureName;
  readonly present: boolean;
}

/** What to do about a feature that is not there: one sentence. */
export function remedy(name: FeatureName): string {
  const { option, module, device }: FeatureRow = FEATURES[name];
  const kernel = module === undefined ? `use a kernel built with ${option}` : `load the module ${module} (${option})`;
  return device === undefined ? kernel : `${kernel}; in a container ${device} takes \`privileged: true\``;
}

/** `this kernel has no ipvlan: load the module ipvlan (CONFIG_IPVLAN)` */
export const absence = (name: FeatureName): string => `this kernel has no ${FEATURES[name].what}: ${remedy(name)}`;
