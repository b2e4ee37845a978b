/** Tracked connections over netlink: attribute tables of ctnetlink. */
import { attrs } from "../netlink/attr.ts";
import { be16, be32, raw, u8, u32 } from "../netlink/codec.ts";
import { layout } from "../netlink/message.ts";
import { struct } from "../netlink/struct.ts";

/** linux/netfilter/nfnetlink.h, NFNL_SUBSYS_CTNETLINK; nfnetlink_conntrack.h, enum cntl_msg_types (v6.12) */
const SUBSYSTEM = 1;
export const CT = {
  GET: (SUBSYSTEM << 8) | 1,
  DELETE: (SUBSYSTEM << 8) | 2,
  GET_STATS: (SUBSYSTEM << 8) | 5,
} as const;

/** linux/netfilter/nfnetlink.h, struct nfgenmsg (v6.12) */
const nfgenmsg = struct({ family: u8, version: u8, resource: be16 });

/** linux/netfilter/nfnetlink_conntrack.h, enum ctattr_ip, enum ctattr_l4proto, enum ctattr_tuple (v6.12) */
const addresses = attrs({ source4: [1, raw], destination4: [2, raw], source6: [3, raw], destination6: [4, raw] });
const protocol = attrs({ number: [1, u8], destinationPort: [3, be16] });
const tuple = attrs({ ip: [1, addresses], protocol: [2, protocol] });

/** linux/netfilter/nfnetlink_conntrack.h, enum ctattr_filter (v6.12): which members of the tuples must be equal. */
const filter = attrs({ original: [1, u32], reply: [2, u32] });
/** net/netfilter/nf_conntrack_netlink.c, CTA_FILTER_F_* (v6.12) */
export const FILTER = { source: 1, destination: 2, protocol: 8, destinationPort: 32 } as const;

/** linux/netfilter/nfnetlink_conntrack.h, enum ctattr_type (v6.12): what is asked for and looked at. */
export const connection = layout(nfgenmsg, attrs({ original: [1, tuple], reply: [2, tuple], filter: [25, filter] }));
/** What tells one connection from all others, as the kernel gave it and takes it back. */
export const identity = layout(nfgenmsg, attrs({ original: [1, raw], id: [12, raw], zone: [18, raw] }));
/** linux/netfilter/nfnetlink_conntrack.h, enum ctattr_stats_global (v6.12) */
export const stats = layout(nfgenmsg, attrs({ entries: [1, be32] }));

export type Asked = NonNullable<Parameters<typeof connection.body>[1]>;
