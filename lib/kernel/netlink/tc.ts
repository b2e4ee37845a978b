/** Traffic control on the wire: linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h, linux/tc_act/tc_mirred.h (v6.12). */
import { attrs, numbered } from "./attr.ts";
import { be16, be32, raw, s32, text, u8, u16, u32, u64 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_QDISC = { NEW: 36, DEL: 37, GET: 38 } as const;
export const RTM_FILTER = { NEW: 44, DEL: 45, GET: 46 } as const;
export const TC_H_ROOT = 0xffffffff;
export const TC_H_CLSACT = 0xfffffff1;
/** TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) */
export const TC_H_INGRESS = 0xfffffff2;
/** linux/if_ether.h */
export const ETH_P_ALL = 3;
export const TC_ACT_STOLEN = 4;
export const TCA_EGRESS_REDIR = 1;

const tcmsg = struct({ family: u8, pad1: u8, pad2: u16, index: s32, handle: u32, parent: u32, info: u32 });

/** TCA_*; what `options` holds depends on `kind`. */
export const tcMessage = layout(tcmsg, attrs({ kind: [1, text], options: [2, raw] }));

/** struct tc_ratespec: bytes each second; `linklayer` 1 is Ethernet. */
const rateSpec = {
  cellLog: u8,
  linklayer: u8,
  overhead: u16,
  cellAlign: u16,
  mpu: u16,
  rate: u32,
} as const;

/** struct tc_tbf_qopt: rate, peak rate (zero: none), then bytes of the queue, the burst in ticks of 64 ns, the MTU. */
export const tbfParms = struct({
  ...rateSpec,
  peak1: u32,
  peak2: u32,
  peakRate: u32,
  limit: u32,
  buffer: u32,
  mtu: u32,
});

/** TCA_TBF_* */
export const tbfOptions = attrs({ parms: [1, tbfParms], rate64: [4, u64], burst: [6, u32] });

/** struct tc_mirred */
export const mirredParms = struct({
  index: u32,
  capab: u32,
  action: s32,
  refcnt: s32,
  bindcnt: s32,
  eaction: s32,
  ifindex: u32,
});

/** TCA_MIRRED_* within TCA_ACT_*, numbered by their place in the list. */
const action = attrs({ kind: [1, text], options: [2, attrs({ parms: [2, mirredParms] })] });

/** struct tc_u32_sel with one struct tc_u32_key */
export const u32Selector = struct({
  flags: u8,
  offshift: u8,
  keys: u8,
  padding: u8,
  offmask: be16,
  off: u16,
  offoff: u16,
  hoff: u16,
  hmask: be32,
  mask: be32,
  value: be32,
  at: s32,
  atMask: s32,
});

/** linux/pkt_cls.h, TC_U32_TERMINAL: a match is final. */
export const TC_U32_TERMINAL = 1;

/** TCA_U32_* */
export const u32Options = attrs({ selector: [5, u32Selector], actions: [7, numbered(action)] });
