/** Addresses on the wire: linux/if_addr.h (v6.12). */
import { attrs } from "./attr.ts";
import { ip, u8, u32 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_ADDR = { NEW: 20, DEL: 21, GET: 22 } as const;

/** No duplicate address detection; no route for the prefix. */
export const IFA_F = { NODAD: 0x02, NOPREFIXROUTE: 0x200 } as const;

const ifaddrmsg = struct({ family: u8, length: u8, flags: u8, scope: u8, index: u32 });

/** struct ifa_cacheinfo: seconds; the time stamps are the kernel's. */
const cacheInfo = struct({ preferred: u32, valid: u32, created: u32, updated: u32 });

export const addressMessage = layout(
  ifaddrmsg,
  attrs({ address: [1, ip], local: [2, ip], lifetime: [6, cacheInfo], flags: [8, u32] }),
);
