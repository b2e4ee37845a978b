/** Pods that leave the cluster under the node's address (`ipMasq`). */
import { type Address, family } from "#lib/address.ts";
import { element } from "#lib/state/element.ts";
import type { ElementFact } from "#lib/state/fact.ts";

export const masqueradeElements = (addresses: readonly Address[]): ElementFact[] =>
  addresses.map((address) => element("inet", family(address) === 4 ? "masq4" : "masq6", [address]));
