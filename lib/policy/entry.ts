/** What is kept of a pod. There may be hundreds of thousands, so what is the same for many is shared, and lists are texts. */
import type { Address } from "#lib/address.ts";
import type { Held } from "./held.ts";
import type { NamedPort, Pod } from "./objects.ts";
import type { PodKind } from "./pod-kinds.ts";
import type { Subject } from "./subjects.ts";

/** None has a field that others lack. */
export interface Entry {
  readonly key: string;
  kind: PodKind;
  /** Undefined until somebody has told of it. */
  ports: readonly NamedPort[] | undefined;
  /** Told of. */
  addresses: AddressesText;
  /** Its attachments of this node. */
  held: Map<string, { readonly held: Held; readonly subject: Subject }> | undefined;
  /** Its addresses that have joined a class: as a rule the very text that was told. */
  joined: AddressesText;
  isUnready: boolean;
}

/** With spaces between them: that of one address is the address itself, and a list would take twice as much again. */
export type AddressesText = string;

export const NO_PORTS: readonly NamedPort[] = [];
const NONE: readonly Address[] = [];

export const addressesText = (addresses: readonly Address[]): AddressesText => addresses.join(" ");

export const addressesIn = (text: AddressesText): readonly Address[] =>
  text === "" ? NONE : (text.split(" ") as Address[]);

/** Told of, and attached here. */
export const wantedOf = ({ addresses, held }: Entry): readonly Address[] =>
  held === undefined
    ? addressesIn(addresses)
    : [...new Set([...addressesIn(addresses), ...[...held.values()].flatMap((each) => each.held.addresses)])];

export const isHolding = ({ held }: Entry, address: Address): boolean =>
  held !== undefined && [...held.values()].some((each) => each.held.addresses.includes(address));

/** With what it was told of, whoever has its addresses. */
export const toldPod = (entry: Entry): Pod => ({
  ...podOf(entry),
  addresses: addressesIn(entry.addresses),
  ...(entry.isUnready ? { isUnready: true } : {}),
});

export function podOf({ kind, ports = NO_PORTS, joined, key }: Entry): Pod {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name, labels: kind.labels, ports, addresses: addressesIn(joined) };
}
