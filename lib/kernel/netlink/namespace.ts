/** Ids of other network namespaces on the wire: linux/net_namespace.h (v6.12). */
import { attrs } from "./attr.ts";
import { s32, u8, u16, u32 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_NSID = { NEW: 88, DEL: 89, GET: 90 } as const;

/** NETNSA_*; a namespace that has no id answers -1. */
export const namespaceMessage = layout(
  struct({ family: u8, pad1: u8, pad2: u16 }),
  attrs({ nsid: [1, s32], fd: [3, u32] }),
);
