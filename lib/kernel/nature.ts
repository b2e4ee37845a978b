/** What makes a link the one that it is: the properties that are for life, whichever kernel has it. */
import { ANY_IPV6, type LinkFact } from "#lib/state/fact.ts";

export type Nature = Pick<
  LinkFact,
  "mode" | "broadcastQueue" | "vlan" | "tap" | "vxlan" | "gre" | "wireguard" | "vlanFiltering"
>;

/** Kinds of links that another one carries, named by its ifindex. */
const CARRIED_KINDS = ["macvlan", "ipvlan", "vlan"] as const satisfies readonly LinkFact["kind"][];
const CARRIED: ReadonlySet<string> = new Set(CARRIED_KINDS);
export const isCarried = (kind: string): boolean => CARRIED.has(kind);

/** Kinds that stand in a pod without a host's end: what tells that they are ours is with themselves. */
const ALONE: ReadonlySet<string> = new Set([
  ...CARRIED_KINDS,
  "tap",
  "vxlan",
  "gretap",
  "erspan",
  "gre",
  "ip6gre",
  "wireguard",
] satisfies LinkFact["kind"][]);
export const standsAlone = (kind: string): boolean => ALONE.has(kind);

/** Whether it is made by itself, not as one end of a pair. */
export const isSingle = (kind: string): boolean => standsAlone(kind) || kind === "bridge" || kind === "ifb";

/** Whether a link is what the fact wants in all that cannot be changed after its birth. Its parent is looked at elsewhere. */
export function isSameNature(want: LinkFact, { mode, vlan, vxlan, gre, tap }: Nature): boolean {
  return (
    (want.mode === "passthru") === (mode === "passthru") &&
    agree(want.vlan, vlan) &&
    agree(want.vxlan, told(vxlan, want.vxlan)) &&
    agree(want.gre, gre) &&
    agree(want.tap, tap)
  );
}

/** `at name` of the links that have to be made anew, with all that they carry: it goes with them. */
export function madeAnew(wanted: readonly LinkFact[], isRemains: (want: LinkFact) => boolean): ReadonlySet<string> {
  const anew = new Set(wanted.filter(isRemains).map(keyOf));
  for (let before = -1; before < anew.size; ) {
    before = anew.size;
    for (const want of wanted) if (want.parent !== undefined && anew.has(keyOf(want.parent))) anew.add(keyOf(want));
  }
  return anew;
}

const keyOf = ({ at, name }: Pick<LinkFact, "at" | "name">): string => `${at} ${name}`;

const agree = <T extends object>(want: T | undefined, have: T | undefined): boolean =>
  want === undefined || JSON.stringify(want) === JSON.stringify(asAsked(want, have));

/** The members that `want` names, in its order, with the values of `have`: facts are compared as they are written. */
export const asAsked = <T extends object>(want: T, have: T | undefined): T =>
  Object.fromEntries(Object.keys(want).map((key) => [key, have?.[key as keyof T]])) as T;

/** The kernel does not tell of an unspecified address (drivers/net/vxlan/vxlan_core.c, vxlan_fill_info, v6.12). */
const told = (have: LinkFact["vxlan"], want: LinkFact["vxlan"]): LinkFact["vxlan"] =>
  have !== undefined && have.local === undefined && want?.local === ANY_IPV6 ? { ...have, local: ANY_IPV6 } : have;

/** A link's nature as a fact tells it: with the members that were asked for, or all. */
export function natureFacts(
  { mode, broadcastQueue, vlan, vxlan, gre, tap, wireguard, vlanFiltering }: Nature,
  want: Partial<LinkFact> | undefined,
): Nature {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(broadcastQueue === undefined ? {} : { broadcastQueue }),
    ...(vlan === undefined ? {} : { vlan: want?.vlan === undefined ? vlan : asAsked(want.vlan, vlan) }),
    ...(vxlan === undefined
      ? {}
      : { vxlan: want?.vxlan === undefined ? vxlan : asAsked(want.vxlan, told(vxlan, want.vxlan)) }),
    ...(gre === undefined ? {} : { gre: want?.gre === undefined ? gre : asAsked(want.gre, gre) }),
    ...(tap === undefined ? {} : { tap: want?.tap === undefined ? tap : asAsked(want.tap, tap) }),
    ...(wireguard === undefined ? {} : { wireguard }),
    ...(vlanFiltering === undefined ? {} : { vlanFiltering }),
  };
}
