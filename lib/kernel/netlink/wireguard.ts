/** WireGuard devices on the wire: linux/genetlink.h and linux/wireguard.h (v6.12). */
import { type Address, fromBytes, toBytes } from "#lib/address.ts";
import { attrs, repeated } from "./attr.ts";
import { type Codec, raw, text, u8, u16, u32, u64, viewOf } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

/** The family that tells the numbers of the others. */
export const GENL_ID_CTRL = 16;
export const CTRL_CMD_GETFAMILY = 3;
const genlmsghdr = struct({ command: u8, version: u8, reserved: u16 });

/** CTRL_ATTR_* */
export const familyMessage = layout(genlmsghdr, attrs({ id: [1, u16], name: [2, text] }));

export const WG_COMMAND = { GET: 0, SET: 1 } as const;
export const WG_GENL = { NAME: "wireguard", VERSION: 1 } as const;
/** enum wgpeer_flag */
export const WGPEER_F = { REMOVE_ME: 1, REPLACE_ALLOWEDIPS: 2 } as const;

const AF_INET = 2;
const AF_INET6 = 10;

export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes). */
const endpoint: Codec<Endpoint> = {
  write(to, { address, port }) {
    const bytes = toBytes(address);
    const at = to.reserve(bytes.length === 4 ? 4 : 8);
    to.view().setUint16(at, bytes.length === 4 ? AF_INET : AF_INET6, true);
    to.view().setUint16(at + 2, port);
    to.put(bytes);
    to.reserve(bytes.length === 4 ? 8 : 4);
  },
  read(bytes) {
    const view = viewOf(bytes);
    const address = view.getUint16(0, true) === AF_INET ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
    return { address: fromBytes(address), port: view.getUint16(2) };
  },
};

/** WGALLOWEDIP_A_* */
export const allowedIp = attrs({ family: [1, u16], address: [2, raw], length: [3, u8] });

/** WGPEER_A_*; the time is a struct __kernel_timespec. */
export const wireguardPeer = attrs({
  publicKey: [1, raw],
  flags: [3, u32],
  endpoint: [4, endpoint],
  lastHandshake: [6, struct({ seconds: u64, nanoseconds: u64 })],
  rxBytes: [7, u64],
  txBytes: [8, u64],
  allowed: [9, repeated(allowedIp)],
});

/** WGDEVICE_A_* */
export const wireguardDevice = layout(
  genlmsghdr,
  attrs({
    index: [1, u32],
    name: [2, text],
    privateKey: [3, raw],
    publicKey: [4, raw],
    port: [6, u16],
    peers: [8, repeated(wireguardPeer)],
  }),
);
