/** What host ports need of links besides their own elements. */
import { type Address, family } from "#lib/address.ts";
import { element } from "#lib/state/element.ts";
import type { ElementFact } from "#lib/state/fact.ts";

/** Goes with route_localnet on a link: keeps out what names 127.0.0.0/8. */
export const localnetElement = (link: string): ElementFact => element("inet", "localnet", [link]);

/** For a pod that reaches host ports of itself, or of another pod that `link`, a bridge, leads to as well. */
export const hairpinElements = (link: string, addresses: readonly Address[]): ElementFact[] =>
  addresses.map((a) => element("inet", family(a) === 4 ? "hairpin4" : "hairpin6", [link, a]));
