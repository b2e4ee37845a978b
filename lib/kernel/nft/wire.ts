/** nftables over netlink: message numbers and attribute tables. */
import type { ElementFact, TableFact } from "#lib/state/fact.ts";
import { attrs, repeated } from "../netlink/attr.ts";
import { be16, be32, raw, text, u8 } from "../netlink/codec.ts";
import { layout } from "../netlink/message.ts";
import { struct } from "../netlink/struct.ts";

/** linux/netfilter/nfnetlink.h, NFNL_SUBSYS_NFTABLES (v6.12); the upper byte of a message's type. */
export const SUBSYSTEM = 10;

/** linux/netfilter/nfnetlink.h (v6.12): they enclose what is to happen at once or not at all. */
export const BATCH = { BEGIN: 0x10, END: 0x11 } as const;

/** linux/netfilter/nf_tables.h, enum nf_tables_msg_types (v6.12) */
export const NFT_MSG = {
  NEWTABLE: 0,
  GETTABLE: 1,
  GETCHAIN: 4,
  GETRULE: 7,
  GETSET: 10,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
  NEWGEN: 15,
  GETGEN: 16,
  GETFLOWTABLE: 23,
  /** Since 6.3: like DELSETELEM, and content when nothing is there. */
  DESTROYSETELEM: 30,
} as const;

export const messageType = (message: number): number => (SUBSYSTEM << 8) | message;

/** linux/netfilter.h, NFPROTO_* (v6.12) */
export const NFPROTO = { inet: 1, bridge: 7 } as const satisfies Record<(TableFact | ElementFact)["family"], number>;

/** linux/netfilter/nfnetlink.h, struct nfgenmsg (v6.12) */
export const nfgenmsg = struct({ family: u8, version: u8, resource: be16 });

/** linux/netfilter/nf_tables.h, enum nft_data_attributes (v6.12) */
const data = attrs({ value: [1, raw] });

/** linux/netfilter/nf_tables.h, enum nft_set_elem_attributes (v6.12) */
const element = attrs({ key: [1, data], data: [2, data] });

/** linux/netfilter/nf_tables.h, enum nft_set_elem_list_attributes (v6.12) */
export const elements = layout(nfgenmsg, attrs({ table: [1, text], set: [2, text], elements: [3, repeated(element)] }));

/** linux/netfilter/nf_tables.h, enum nft_gen_attributes (v6.12) */
export const generation = layout(nfgenmsg, attrs({ id: [1, be32] }));

/** The name of the table is attribute 1 of tables, chains, rules, sets and elements alike. */
export const inTable = layout(nfgenmsg, attrs({ table: [1, text] }));

/** linux/netfilter/nf_tables.h, enum nft_chain_attributes (v6.12) */
export const chain = layout(nfgenmsg, attrs({ table: [1, text], name: [3, text] }));

/** linux/netfilter/nf_tables.h, enum nft_set_attributes (v6.12) */
export const set = layout(nfgenmsg, attrs({ table: [1, text], name: [2, text], flags: [3, be32] }));

/** linux/netfilter/nf_tables.h, enum nft_flowtable_attributes, _flowtable_hook_attributes and nft_devices_attributes (v6.12) */
export const flowtable = layout(
  nfgenmsg,
  attrs({ table: [1, text], name: [2, text], hook: [3, attrs({ devices: [3, repeated(text)] })] }),
);
