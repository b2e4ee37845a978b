/** Links on the wire: linux/if_link.h, linux/rtnetlink.h, linux/veth.h, linux/if_bridge.h, linux/ip.h (v6.12). */
import { attrs, nest, numbered } from "./attr.ts";
import { ether, raw, s32, text, u8, u16, u32 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_LINK = { NEW: 16, DEL: 17, GET: 18 } as const;

/** linux/if.h */
export const IFF = { UP: 0x1, LOOPBACK: 0x8, PROMISC: 0x100 } as const;

/** IFLA_EXT_MASK: without it an answer carries statistics of some hundred bytes. */
export const RTEXT_FILTER_SKIP_STATS = 8;

/** IN6_ADDR_GEN_MODE_NONE */
export const ADDR_GEN_NONE = 1;
/** IPV4_DEVCONF_ROUTE_LOCALNET, counted from 1 as linux/ip.h does. */
export const DEVCONF_ROUTE_LOCALNET = 26;

const AF_INET = 2;
const AF_INET6 = 10;

export const ifinfomsg = struct({ family: u8, pad: u8, type: u16, index: s32, flags: u32, change: u32 });

/** IFLA_BRPORT_* */
export const bridgePort = attrs({
  mode: [4, u8],
  learning: [8, u8],
  unicastFlood: [9, u8],
  multicastFlood: [27, u8],
  broadcastFlood: [30, u8],
  suppressNeighbours: [32, u8],
});

/** IFLA_INFO_*; `data` is read and written by kind. */
const linkInfo = attrs({ kind: [1, text], data: [2, raw], slaveKind: [4, text], slaveData: [5, bridgePort] });

/** IFLA_INET_CONF is a plain array of u32 in answers. */
const inetAnswer = attrs({ conf: [1, raw] });
const inetRequest = attrs({ conf: [1, numbered(u32)] });
const inet6 = attrs({ addrGenMode: [8, u8] });

const common = {
  address: [1, ether],
  name: [3, text],
  mtu: [4, u32],
  link: [5, s32],
  master: [10, u32],
  alias: [20, text],
  group: [27, u32],
  netNsFd: [28, u32],
  extMask: [29, u32],
  txQueues: [31, u32],
  rxQueues: [32, u32],
  netNsId: [37, s32],
} as const;

/** IFLA_* of what the kernel answers. A MAC address is read as bytes: tunnels have other lengths. */
export const linkAnswer = layout(
  ifinfomsg,
  attrs({
    ...common,
    address: [1, raw],
    info: [18, linkInfo],
    specific: [26, attrs({ inet: [AF_INET, inetAnswer], inet6: [AF_INET6, inet6] })],
  }),
);

/** VETH_INFO_PEER: a whole link message of its own. */
const vethPeer = layout(ifinfomsg, attrs(common));
const vethData = attrs({ peer: [1, raw] });

/** IFLA_* of what the kernel is asked for. */
export const linkRequest = layout(
  ifinfomsg,
  attrs({
    ...common,
    info: [18, attrs({ kind: [1, text], data: [2, nest], slaveKind: [4, text], slaveData: [5, bridgePort] })],
    specific: [26, attrs({ inet: [AF_INET, inetRequest], inet6: [AF_INET6, inet6] })],
  }),
);

export const vethPeerBody = vethPeer.body;
export const vethPeerData = (peer: Uint8Array): Uint8Array => vethData.put({ peer });

/** Whether the answer's IFLA_INET_CONF says that 127.0.0.0/8 is routed on the link. */
export function routesLocalnet(conf: Uint8Array | undefined): boolean | undefined {
  const at = (DEVCONF_ROUTE_LOCALNET - 1) * 4;
  return conf === undefined || conf.length < at + 4 ? undefined : u32.read(conf.subarray(at, at + 4)) !== 0;
}
