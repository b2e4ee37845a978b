/** What host ports need of a link besides their own elements. */
import { element } from "#lib/state/element.ts";
import type { ElementFact } from "#lib/state/fact.ts";

/** For a pod that reaches its own host port, and for the node that reaches one by 127.0.0.1. */
export const localnetElements = (link: string): ElementFact[] => [
  element("inet", "localnet", [link]),
  element("inet", "hairpin", [link, link]),
];
