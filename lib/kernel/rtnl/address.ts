/** Address facts to messages and back. */
import { addressOf, lengthOf, type Prefix, withLength } from "#lib/address.ts";
import type { AddressFact } from "#lib/state/fact.ts";
import { addressMessage, IFA_F, RTM_ADDR } from "../netlink/address.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { familyNumber } from "./family.ts";

/** Usable at once: duplicate address detection would hold the pod up for seconds. */
export function addAddress(fact: AddressFact, index: number): Request {
  const address = addressOf(fact.address);
  const flags = IFA_F.NODAD | (fact.noPrefixRoute === true ? IFA_F.NOPREFIXROUTE : 0);
  return {
    what: `addr add ${fact.address} dev ${fact.link}`,
    type: RTM_ADDR.NEW,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: addressMessage.body(head(fact.address, index), {
      local: address,
      address,
      ...(fact.validSeconds === undefined ? {} : { lifetime: { preferred: 0, valid: fact.validSeconds } }),
      flags,
    }),
  };
}

export function removeAddress(fact: AddressFact, index: number): Request {
  const address = addressOf(fact.address);
  return {
    what: `addr del ${fact.address} dev ${fact.link}`,
    type: RTM_ADDR.DEL,
    flags: 0,
    body: addressMessage.body(head(fact.address, index), { local: address, address }),
  };
}

const head = (address: Prefix, index: number) => ({
  family: familyNumber(address),
  length: lengthOf(address),
  index,
});

/** The addresses of one link; strict checking makes the kernel look at that link alone. */
export const dumpAddresses = (family: number, index: number): Request => ({
  what: `addr list dev ${index}`,
  type: RTM_ADDR.GET,
  flags: 0,
  body: addressMessage.body({ family, index }),
});

export interface SeenAddress {
  readonly index: number;
  readonly address: Prefix;
  readonly noPrefixRoute: boolean;
}

/** @throws RangeError */
export function readAddress(message: Message): SeenAddress | undefined {
  const { head: header, attrs } = addressMessage.read(message.body);
  const address = attrs.local ?? attrs.address;
  if (address === undefined) return undefined;
  return {
    index: header.index,
    address: withLength(address, header.length),
    noPrefixRoute: ((attrs.flags ?? 0) & IFA_F.NOPREFIXROUTE) !== 0,
  };
}
