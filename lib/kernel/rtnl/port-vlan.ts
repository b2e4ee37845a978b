/** Facts of bridge ports' VLANs to messages and back. */
import type { PortVlanFact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import {
  AF_BRIDGE,
  BRIDGE_FLAGS,
  portVlanRequest,
  RTM_DELLINK,
  RTM_SETLINK,
  RTM_VLAN,
  readVlans,
  VLAN_INFO,
  vlanRequestBody,
} from "../netlink/bridge-vlan.ts";
import type { Message, Request } from "../netlink/message.ts";

/** The bridge itself, or a port of one. */
export interface VlanHolder {
  readonly index: number;
  readonly isBridge: boolean;
}

const body = ({ index, isBridge }: VlanHolder, vid: number, info: number): Uint8Array =>
  portVlanRequest.body(
    { family: AF_BRIDGE, index },
    { specific: { flags: isBridge ? BRIDGE_FLAGS.SELF : BRIDGE_FLAGS.MASTER, info: { flags: info, vid } } },
  );

/** On a VLAN that the port is on already it changes the properties. */
export const addPortVlan = ({ vid, link, pvid, untagged }: PortVlanFact, holder: VlanHolder): Request => ({
  what: `vlan add ${vid} dev ${link}`,
  type: RTM_SETLINK,
  flags: 0,
  body: body(holder, vid, (pvid ? VLAN_INFO.PVID : 0) | (untagged ? VLAN_INFO.UNTAGGED : 0)),
});

export const removePortVlan = (vid: number, link: string, holder: VlanHolder): Request => ({
  what: `vlan del ${vid} dev ${link}`,
  type: RTM_DELLINK,
  flags: 0,
  body: body(holder, vid, 0),
});

/** Those of one port, or of one bridge: EINVAL for a link that is neither. */
export const dumpPortVlans = (index: number): Request => ({
  what: `vlan list dev ${index}`,
  type: RTM_VLAN.GET,
  flags: 0,
  body: vlanRequestBody(index),
});

/** @throws RangeError */
export const readPortVlans = (message: Message, at: Place, link: string): PortVlanFact[] =>
  readVlans(message.body).vlans.map(({ vid, flags }) => ({
    type: "port-vlan",
    at,
    link,
    vid,
    pvid: (flags & VLAN_INFO.PVID) !== 0,
    untagged: (flags & VLAN_INFO.UNTAGGED) !== 0,
  }));
