/** Traffic control on the wire: linux/rtnetlink.h, linux/pkt_sched.h, linux/pkt_cls.h, linux/tc_act/tc_mirred.h (v6.12). */
import { attrs, numbered } from "./attr.ts";
import { be16, be32, type Codec, raw, s32, text, u8, u16, u32, u64 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_QDISC = { NEW: 36, DEL: 37, GET: 38 } as const;
export const RTM_CLASS = { NEW: 40, DEL: 41, GET: 42 } as const;
export const RTM_FILTER = { NEW: 44, DEL: 45, GET: 46 } as const;
export const RTM_ACTION = { NEW: 48, DEL: 49, GET: 50 } as const;
export const TC_H_ROOT = 0xffffffff;
export const TC_H_CLSACT = 0xfffffff1;
/** TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS) */
export const TC_H_INGRESS = 0xfffffff2;
/** TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) */
export const TC_H_EGRESS = 0xfffffff3;
/** linux/if_ether.h */
export const ETH_P = { all: 3, ip: 0x0800, ipv6: 0x86dd } as const;
export const TC_ACT_STOLEN = 4;
/** The filters after this one are asked, too; `tc` calls it continue. */
export const TC_ACT_UNSPEC = -1;
export const TCA_EGRESS_REDIR = 1;
export const TCA_EGRESS_MIRROR = 2;
/** linux/tc_act/tc_tunnel_key.h; `tc` calls it unset. */
export const TCA_TUNNEL_KEY_ACT_RELEASE = 2;

const tcmsg = struct({ family: u8, pad1: u8, pad2: u16, index: s32, handle: u32, parent: u32, info: u32 });

/** struct gnet_stats_basic and gnet_stats_queue (linux/gen_stats.h), within TCA_STATS2. */
export const queueStats = attrs({
  basic: [1, struct({ bytes: u64, packets: u32 })],
  queue: [3, struct({ length: u32, backlog: u32, drops: u32, requeues: u32, overlimits: u32 })],
});

/** TCA_*; what `options` holds depends on `kind`. */
export const tcMessage = layout(tcmsg, attrs({ kind: [1, text], options: [2, raw], stats: [7, queueStats] }));

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
const mirredParms = struct({
  index: u32,
  capab: u32,
  action: s32,
  refcnt: s32,
  bindcnt: s32,
  eaction: s32,
  ifindex: u32,
});

/** Those of other kinds are shorter, and begin with the same five members; struct tc_tunnel_key has its action for the sixth. */
const actionParms: typeof mirredParms = {
  ...mirredParms,
  read(bytes) {
    const whole = new Uint8Array(mirredParms.size);
    whole.set(bytes.subarray(0, whole.length));
    return mirredParms.read(whole);
  },
};

/** TCA_MIRRED_* and TCA_TUNNEL_KEY_* within TCA_ACT_*, numbered by their place in the list. */
const action = attrs({ kind: [1, text], options: [2, attrs({ parms: [2, actionParms] })] });

/** struct tcamsg and TCA_ACT_TAB: actions that stand by themselves. */
export const actionsMessage = layout(
  struct({ family: u8, pad1: u8, pad2: u16 }),
  attrs({ actions: [1, numbered(attrs({ kind: [1, text] }))] }),
);

/** struct tc_u32_sel before its keys */
const u32Head = struct({
  flags: u8,
  offshift: u8,
  keys: u8,
  padding: u8,
  offmask: be16,
  off: u16,
  offoff: u16,
  hoff: u16,
  hmask: be32,
});

/** struct tc_u32_key: a word of 4 bytes at an offset from the network header, which may be negative. */
export const u32Key = struct({ mask: be32, value: be32, at: s32, atMask: s32 });

export interface U32Selector {
  readonly flags: number;
  readonly keys: readonly { readonly mask: number; readonly value: number; readonly at: number }[];
}

export const u32Selector: Codec<U32Selector> = {
  write(to, { flags, keys }) {
    u32Head.write(to, { flags, keys: keys.length });
    for (const key of keys) u32Key.write(to, key);
  },
  read(bytes) {
    const { flags, keys } = u32Head.read(bytes);
    return {
      flags,
      keys: Array.from({ length: keys }, (_, i) => {
        const { mask, value, at } = u32Key.read(bytes.subarray(u32Head.size + i * u32Key.size));
        return { mask, value, at };
      }),
    };
  },
};

/** linux/pkt_cls.h, TC_U32_TERMINAL: a match is final. */
export const TC_U32_TERMINAL = 1;

/** TCA_U32_* */
export const u32Options = attrs({ classId: [1, u32], selector: [5, u32Selector], actions: [7, numbered(action)] });

/** struct tc_htb_glob; the version is that of the kernel's code (net/sched/sch_htb.c, HTB_VER >> 16). */
export const htbGlobal = struct({
  version: u32,
  rateToQuantum: u32,
  defaultClass: u32,
  debug: u32,
  directPackets: u32,
});
export const HTB_VERSION = 3;

/** struct tc_htb_opt: two struct tc_ratespec, then bursts in ticks of 64 ns. */
export const htbParms = struct({
  ...rateSpec,
  ceilCellLog: u8,
  ceilLinklayer: u8,
  ceilOverhead: u16,
  ceilCellAlign: u16,
  ceilMpu: u16,
  ceil: u32,
  buffer: u32,
  ceilBuffer: u32,
  quantum: u32,
  level: u32,
  order: u32,
});

/** TCA_HTB_* */
export const htbOptions = attrs({ parms: [1, htbParms], init: [2, htbGlobal], rate64: [6, u64], ceil64: [7, u64] });

/** struct tc_fifo_qopt, bytes for bfifo; the whole of TCA_OPTIONS. */
export const fifoOptions = struct({ limit: u32 });
