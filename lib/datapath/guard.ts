/**
 * Spoof protection: an attachment sends from its own MAC and its own addresses and from nothing else.
 * The elements are part of the attachment, so that its first packet is already filtered.
 */
import { type Address, family, type Mac } from "#lib/address.ts";
import { element } from "#lib/state/element.ts";
import type { ElementFact } from "#lib/state/fact.ts";

export interface Guarded {
  /** Where the packets are looked at: routed links in `inet`, ports of a bridge in `bridge`. */
  readonly guard: "inet" | "bridge";
  /** Host's end: the link by which the pod's packets come in. */
  readonly link: string;
  readonly mac: Mac;
  readonly addresses: readonly Address[];
}

export const guardElements = ({ guard, link, mac, addresses }: Guarded): ElementFact[] => [
  ...addresses.map((address) => element(guard, family(address) === 4 ? "allowed4" : "allowed6", [link, mac, address])),
  element(guard, "allowed_mac", [link, mac]),
  element(guard, "guarded", [link]),
];
