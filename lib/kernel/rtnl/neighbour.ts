/** Neighbour facts to messages and back. */
import { type Address, type Mac, macFromBytes, macToBytes } from "#lib/address.ts";
import type { NeighbourFact } from "#lib/state/fact.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { NUD_PERMANENT, neighbourMessage, RTM_NEIGH } from "../netlink/neighbour.ts";
import { familyNumber } from "./family.ts";

const head = (fact: NeighbourFact, index: number) => ({ family: familyNumber(fact.address), index });

export const addNeighbour = (fact: NeighbourFact, index: number): Request => ({
  what: `neigh add ${fact.address} dev ${fact.link}`,
  type: RTM_NEIGH.NEW,
  flags: NLM_F.CREATE | NLM_F.REPLACE,
  body: neighbourMessage.body(
    { ...head(fact, index), state: NUD_PERMANENT },
    { to: fact.address, mac: macToBytes(fact.mac) },
  ),
});

export const removeNeighbour = (fact: NeighbourFact, index: number): Request => ({
  what: `neigh del ${fact.address} dev ${fact.link}`,
  type: RTM_NEIGH.DEL,
  flags: 0,
  body: neighbourMessage.body(head(fact, index), { to: fact.address }),
});

export const getNeighbour = (fact: NeighbourFact, index: number): Request => ({
  what: `neigh get ${fact.address} dev ${fact.link}`,
  type: RTM_NEIGH.GET,
  flags: 0,
  body: neighbourMessage.body(head(fact, index), { to: fact.address }),
});

export const dumpNeighbours: Request = {
  what: "neigh list",
  type: RTM_NEIGH.GET,
  flags: 0,
  body: neighbourMessage.body({}),
};

export interface SeenNeighbour {
  readonly index: number;
  readonly address: Address;
  readonly mac: Mac;
}

/** Undefined for one that is not permanent: the kernel may forget it. @throws RangeError */
export function readNeighbour(message: Message): SeenNeighbour | undefined {
  const { head: header, attrs } = neighbourMessage.read(message.body);
  if ((header.state & NUD_PERMANENT) === 0 || attrs.to === undefined || attrs.mac?.length !== 6) return undefined;
  return { index: header.index, address: attrs.to, mac: macFromBytes(attrs.mac) };
}
