/** VLANs of bridge ports on the wire: linux/if_bridge.h, linux/rtnetlink.h (v6.12). */
import { attrs, eachAttr } from "./attr.ts";
import { u8, u16, u32 } from "./codec.ts";
import { ifinfomsg } from "./link.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

/** RTM_NEWVLAN, … tell and list; RTM_SETLINK and RTM_DELLINK of AF_BRIDGE set and take away. */
export const RTM_VLAN = { NEW: 112, DEL: 113, GET: 114 } as const;
export const RTM_SETLINK = 19;
export const RTM_DELLINK = 17;
/** linux/socket.h */
export const AF_BRIDGE = 7;

/** BRIDGE_FLAGS_* */
export const BRIDGE_FLAGS = { MASTER: 1, SELF: 2 } as const;
/** BRIDGE_VLAN_INFO_* */
export const VLAN_INFO = { PVID: 0x2, UNTAGGED: 0x4 } as const;

/** struct bridge_vlan_info */
const vlanInfo = struct({ flags: u16, vid: u16 });

/** IFLA_AF_SPEC of AF_BRIDGE: IFLA_BRIDGE_*. */
export const portVlanRequest = layout(
  ifinfomsg,
  attrs({ specific: [26, attrs({ flags: [0, u16], info: [2, vlanInfo] })] }),
);

const vlanMessage = layout(struct({ family: u8, pad1: u8, pad2: u16, index: u32 }), attrs({}));
export const vlanRequestBody = (index: number): Uint8Array => vlanMessage.body({ family: AF_BRIDGE, index });

/** BRIDGE_VLANDB_ENTRY */
const ENTRY = 1;
/** BRIDGE_VLANDB_ENTRY_*; VLANs of the same properties come as one entry with the last of them as `range`. */
const entry = attrs({ info: [1, vlanInfo], range: [2, u16] });
const HEADER_BYTES = 8;

export interface VlanEntries {
  /** Ifindex of the port, or of the bridge. */
  readonly index: number;
  readonly vlans: readonly { readonly vid: number; readonly flags: number }[];
}

/** @throws RangeError */
export function readVlans(body: Uint8Array): VlanEntries {
  const { index } = vlanMessage.read(body).head;
  const vlans = eachAttr(body.subarray(HEADER_BYTES)).flatMap(([type, value]) => {
    const { info, range } = type === ENTRY ? entry.get(value) : {};
    const { vid, flags } = info ?? {};
    if (vid === undefined || flags === undefined) return [];
    return Array.from({ length: Math.max((range ?? vid) - vid, 0) + 1 }, (_, i) => ({ vid: vid + i, flags }));
  });
  return { index, vlans };
}
