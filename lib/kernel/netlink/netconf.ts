/** Switches of links on the wire: linux/netconf.h (v6.12). */
import { attrs } from "./attr.ts";
import { s32, u8 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_NEWNETCONF = 80;
/** NETCONFA_IFINDEX_ALL: the switch of all links. */
export const ALL_LINKS = -1;

/** NETCONFA_* */
export const netconfMessage = layout(struct({ family: u8 }), attrs({ index: [1, s32], forwarding: [2, s32] }));
