/** Forwarding entries of vxlan devices to messages and back. */
import { macFromBytes, macToBytes } from "#lib/address.ts";
import { EVERYONE_ELSE, type ForwardFact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import { AF_BRIDGE } from "../netlink/bridge-vlan.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { NTF_SELF, NUD_NOARP, NUD_PERMANENT, neighbourMessage, RTM_NEIGH } from "../netlink/neighbour.ts";

const body = (fact: ForwardFact, index: number): Uint8Array =>
  neighbourMessage.body(
    { family: AF_BRIDGE, index, state: NUD_PERMANENT | NUD_NOARP, flags: NTF_SELF },
    { mac: macToBytes(fact.mac), to: fact.to },
  );

/** All zeros has many destinations, which are added to each other; any other MAC has one, which gives way. */
export const addForward = (fact: ForwardFact, index: number): Request => ({
  what: `fdb add ${fact.mac} dev ${fact.link} dst ${fact.to}`,
  type: RTM_NEIGH.NEW,
  flags: NLM_F.CREATE | (fact.mac === EVERYONE_ELSE ? NLM_F.APPEND : NLM_F.REPLACE),
  body: body(fact, index),
});

export const removeForward = (fact: ForwardFact, index: number): Request => ({
  what: `fdb del ${fact.mac} dev ${fact.link} dst ${fact.to}`,
  type: RTM_NEIGH.DEL,
  flags: 0,
  body: body(fact, index),
});

/** The one of a MAC address; of several destinations the kernel tells one (drivers/net/vxlan/vxlan_core.c, vxlan_fdb_get, v6.12). */
export const getForward = (fact: ForwardFact, index: number): Request => ({
  what: `fdb get ${fact.mac} dev ${fact.link}`,
  type: RTM_NEIGH.GET,
  flags: 0,
  body: neighbourMessage.body({ family: AF_BRIDGE, index, flags: NTF_SELF }, { mac: macToBytes(fact.mac) }),
});

/** Those of one device. */
export const dumpForwards = (index: number): Request => ({
  what: `fdb list dev ${index}`,
  type: RTM_NEIGH.GET,
  flags: 0,
  body: neighbourMessage.body({ family: AF_BRIDGE, index }),
});

/** Undefined for one that the kernel may forget, or that names no address. @throws RangeError */
export function readForward(message: Message, at: Place, link: string): ForwardFact | undefined {
  const { head, attrs } = neighbourMessage.read(message.body);
  if ((head.state & NUD_PERMANENT) === 0 || attrs.to === undefined || attrs.mac?.length !== 6) return undefined;
  return { type: "forward", at, link, mac: macFromBytes(attrs.mac), to: attrs.to };
}
