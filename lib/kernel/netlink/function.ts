/**
 * PCI functions behind links on the wire: linux/if_link.h, IFLA_VFINFO_LIST and IFLA_PARENT_DEV_* (v6.12). Only a request
 * with RTEXT_FILTER_VF is answered with the first.
 */
import { attrs, repeated } from "./attr.ts";
import { be16, type Carried, type Fixed, raw, text, u16, u32 } from "./codec.ts";
import { ifinfomsg } from "./link.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

/** linux/rtnetlink.h */
export const RTEXT_FILTER_VF = 1;

/** MAX_ADDR_LEN of linux/netdevice.h: an Ethernet address takes the first 6 bytes. */
const hardwareAddress: Fixed<Uint8Array> = {
  size: 32,
  write(to, value) {
    to.put(value);
    to.reserve(32 - value.length);
  },
  read: (bytes) => bytes.slice(0, 6),
  readAt: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, 6).slice(),
};

/** IFLA_VF_VLAN_LIST, of which the kernel takes one entry. */
const vlanList = repeated(struct({ vf: u32, vlan: u32, qos: u32, protocol: be16, pad: u16 }));

const setting = struct({ vf: u32, setting: u32 });

/** IFLA_VF_* */
export const functionSettings = attrs({
  mac: [1, struct({ vf: u32, mac: hardwareAddress })],
  spoofCheck: [4, setting],
  linkState: [5, setting],
  rate: [6, struct({ vf: u32, min: u32, max: u32 })],
  trust: [9, setting],
  vlans: [12, vlanList],
});

const functions = repeated(functionSettings);

/** What is asked of a link to learn of the device behind it, and how a physical function is told of its virtual ones. */
export const functionRequest = layout(
  ifinfomsg,
  attrs({ name: [3, text], extMask: [29, u32], functions: [22, functions] }),
);

export const functionAnswer = layout(
  ifinfomsg,
  attrs({
    address: [1, raw],
    name: [3, text],
    mtu: [4, u32],
    master: [10, u32],
    info: [18, attrs({ kind: [1, text] })],
    alias: [20, text],
    functions: [22, functions],
    switchId: [36, raw],
    portName: [38, text],
    parentName: [56, text],
    parentBus: [57, text],
  }),
);

export type FunctionSettings = Carried<typeof functionSettings>;
