/** Routes on the wire: linux/rtnetlink.h (v6.12). */
import type { Address } from "#lib/address.ts";
import { attrs } from "./attr.ts";
import { type Codec, ip, u8, u16, u32 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_ROUTE = { NEW: 24, DEL: 25, GET: 26 } as const;
export const RT_TABLE_MAIN = 254;
export const RTN_UNICAST = 1;
export const RTN_UNREACHABLE = 7;
export const RT_SCOPE = { UNIVERSE: 0, LINK: 253 } as const;
export const RTNH_F_ONLINK = 4;
/** A get answers with the table's entry instead of the route that was made of it. */
export const RTM_F_FIB_MATCH = 0x2000;

const rtmsg = struct({
  family: u8,
  toLength: u8,
  fromLength: u8,
  tos: u8,
  table: u8,
  protocol: u8,
  scope: u8,
  type: u8,
  flags: u32,
});

/** struct rtvia: a gateway of another family than the destination (RFC 5549). */
const otherVia: Codec<Address> = {
  write(to, address) {
    u16.write(to, address.includes(":") ? AF_INET6 : AF_INET);
    ip.write(to, address);
  },
  read: (bytes) => ip.read(bytes.subarray(2)),
};
const AF_INET = 2;
const AF_INET6 = 10;

/** RTAX_* */
const metrics = attrs({ mtu: [2, u32], advmss: [8, u32] });

/** RTA_* */
export const routeMessage = layout(
  rtmsg,
  attrs({
    to: [1, ip],
    oif: [4, u32],
    via: [5, ip],
    metric: [6, u32],
    source: [7, ip],
    metrics: [8, metrics],
    table: [15, u32],
    otherVia: [18, otherVia],
  }),
);
