/** Addresses that bridges have behind their ports to messages and back. */
import { macFromBytes, macToBytes } from "#lib/address.ts";
import type { PortMacFact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import { AF_BRIDGE } from "../netlink/bridge-vlan.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { NTF_MASTER, NTF_SELF, NUD_NOARP, NUD_PERMANENT, neighbourMessage, RTM_NEIGH } from "../netlink/neighbour.ts";

const body = ({ mac }: PortMacFact, index: number, state: number): Uint8Array =>
  neighbourMessage.body({ family: AF_BRIDGE, index, state, flags: NTF_MASTER }, { mac: macToBytes(mac) });

/** An address is behind one port: the latest that was told so. */
export const addPortMac = (fact: PortMacFact, index: number): Request => ({
  what: `fdb add ${fact.mac} dev ${fact.link} master`,
  type: RTM_NEIGH.NEW,
  flags: NLM_F.CREATE | NLM_F.REPLACE,
  body: body(fact, index, NUD_NOARP),
});

export const removePortMac = (fact: PortMacFact, index: number): Request => ({
  what: `fdb del ${fact.mac} dev ${fact.link} master`,
  type: RTM_NEIGH.DEL,
  flags: 0,
  body: body(fact, index, 0),
});

/** Wherever the bridge has it: the answer names the port. */
export const getPortMac = (fact: PortMacFact, index: number): Request => ({
  what: `fdb get ${fact.mac} dev ${fact.link} master`,
  type: RTM_NEIGH.GET,
  flags: 0,
  body: body(fact, index, 0),
});

/** Ifindex of the port that an entry is of. @throws RangeError */
export const portOf = (message: Message): number => neighbourMessage.read(message.body).head.index;

/** Undefined for what the bridge has learnt, for its ports' own addresses, and for the link's own entries. @throws RangeError */
export function readPortMac(message: Message, at: Place, link: string): PortMacFact | undefined {
  const { head, attrs } = neighbourMessage.read(message.body);
  const isStatic = (head.state & NUD_NOARP) !== 0 && (head.state & NUD_PERMANENT) === 0;
  if (!isStatic || (head.flags & NTF_SELF) !== 0 || attrs.mac?.length !== 6) return undefined;
  return { type: "port-mac", at, link, mac: macFromBytes(attrs.mac) };
}
