/**
 * What of the kernel each attachment type needs, and what any attachment may be given besides. The README's table and
 * `selvedgectl doctor` are made of it.
 */
import type { FeatureName } from "#lib/state/features.ts";
import type { AttachmentType } from "./kinds.ts";

const TYPE_NEEDS = {
  ptp: ["veth"],
  bridge: ["veth", "bridge", "bridge-vlan"],
  macvlan: ["macvlan"],
  ipvlan: ["ipvlan", "ipvlan-l3s"],
  vlan: ["vlan"],
  tap: ["tap"],
  loopback: [],
  "host-device": [],
  sriov: ["sr-iov"],
} as const satisfies Readonly<Record<AttachmentType, readonly FeatureName[]>>;

const ADD_ON_NEEDS = {
  "spoof protection": ["nftables", "nft-bridge"],
  masquerading: ["nftables", "nft-nat"],
  "host ports": ["nftables", "nft-nat", "conntrack", "bridge-conntrack"],
  bandwidth: ["tbf", "ifb", "clsact", "u32", "mirred"],
  "totals of a pod": ["htb", "ifb", "clsact", "u32", "mirred"],
  mirroring: ["clsact", "u32", "mirred"],
  "mirroring into VXLAN": ["vxlan"],
  "mirroring into GRE or ERSPAN": ["gre"],
  "tenants across nodes": ["vxlan"],
  "offloaded flows": ["flow-offload"],
} as const satisfies Readonly<Record<string, readonly FeatureName[]>>;

/** Everything that has needs, in the order in which it is shown. */
export const NEEDS: ReadonlyMap<string, readonly FeatureName[]> = new Map<string, readonly FeatureName[]>([
  ...Object.entries(TYPE_NEEDS),
  ...Object.entries(ADD_ON_NEEDS),
]);
