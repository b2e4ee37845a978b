/** What IFLA_INFO_DATA holds, by kind of link: linux/if_link.h, linux/if_tun.h (v6.12). */
import { attrs } from "./attr.ts";
import { be16, be32, ip, u8, u16, u32 } from "./codec.ts";

/** IFLA_BR_* */
export const bridgeData = attrs({ vlanFiltering: [7, u8], defaultPvid: [39, u16] });

/** IFLA_MACVLAN_*; macvlan_mode is one bit of a mask. */
export const macvlanData = attrs({ mode: [1, u32], broadcastQueue: [7, u32] });
export const MACVLAN_MODE = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;

/** IFLA_IPVLAN_* */
export const ipvlanData = attrs({ mode: [1, u16] });
export const IPVLAN_MODE = { l2: 0, l3: 1, l3s: 2 } as const;

/** IFLA_VLAN_* */
export const vlanData = attrs({ id: [1, u16], protocol: [5, be16] });
/** linux/if_ether.h: ETH_P_8021Q, ETH_P_8021AD */
export const VLAN_PROTOCOL = { "802.1Q": 0x8100, "802.1ad": 0x88a8 } as const;

/** IFLA_VXLAN_*; the port alone is in the network's order. */
export const vxlanData = attrs({
  id: [1, u32],
  link: [3, u32],
  local4: [4, ip],
  learning: [7, u8],
  port: [15, be16],
  local6: [17, ip],
});

/** IFLA_GRE_*: flags of the packets in the network's order; the session of ERSPAN is the key. */
export const greData = attrs({
  inFlags: [2, be16],
  outFlags: [3, be16],
  inKey: [4, be32],
  outKey: [5, be32],
  local: [6, ip],
  remote: [7, ip],
  ttl: [8, u8],
  pathMtu: [10, u8],
  tunnelFlags: [13, u32],
  ignoreDf: [19, u8],
  erspanIndex: [21, u32],
  erspanVersion: [22, u8],
});
/** linux/if_tunnel.h: GRE_KEY, GRE_SEQ */
export const GRE_FLAG = { key: 0x2000, sequence: 0x1000 } as const;
/** linux/ip6_tunnel.h: without the option of RFC 2473 section 5.1, which would take 8 bytes of each packet. */
export const IP6_TNL_F_IGN_ENCAP_LIMIT = 1;

/** IFLA_TUN_*; written by the ioctls of /dev/net/tun, only read here. */
export const tunData = attrs({ owner: [1, u32], group: [2, u32], type: [3, u8], multiQueue: [7, u8] });
/** linux/if_tun.h: IFF_TAP as IFLA_TUN_TYPE tells it. */
export const TUN_TYPE_TAP = 2;
