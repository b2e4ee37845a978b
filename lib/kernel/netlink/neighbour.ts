/** Neighbours on the wire: linux/neighbour.h (v6.12). */
import { attrs } from "./attr.ts";
import { ip, raw, s32, u8, u16 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_NEIGH = { NEW: 28, DEL: 29, GET: 30 } as const;
export const NUD_PERMANENT = 0x80;
export const NUD_NOARP = 0x40;
/** The entry is the link's own, not that of the bridge above it. */
export const NTF_SELF = 2;
/** It is that of the bridge whose port the link is. */
export const NTF_MASTER = 4;

const ndmsg = struct({ family: u8, pad1: u8, pad2: u16, index: s32, state: u16, flags: u8, type: u8 });

/** NDA_*; a MAC address as bytes, since tunnels have others. */
export const neighbourMessage = layout(ndmsg, attrs({ to: [1, ip], mac: [2, raw] }));
