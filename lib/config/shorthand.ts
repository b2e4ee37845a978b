/** Settings of a network that every operator sets, and what each attachment type calls them. */
import type { ATTACHMENTS } from "./schema.ts";

export const SHORT_KEYS = ["parent", "bridge", "vlan"] as const;
type ShortKey = (typeof SHORT_KEYS)[number];

/** The name among the type's own options; absent where the type has no such thing. */
export const SHORTHAND = {
  ptp: {},
  bridge: { bridge: "bridge", vlan: "vlan" },
  macvlan: { parent: "master" },
  ipvlan: { parent: "master" },
  vlan: { parent: "master", vlan: "vlanId" },
  "host-device": { parent: "device" },
  sriov: { parent: "pf", vlan: "vlan" },
  tap: {},
  loopback: {},
} as const satisfies Record<(typeof ATTACHMENTS)[number], Partial<Record<ShortKey, string>>> as Record<
  (typeof ATTACHMENTS)[number],
  Partial<Record<ShortKey, string>>
>;

/** The short keys of a network as options of its type. */
export const optionsOf = (
  type: (typeof ATTACHMENTS)[number],
  given: { readonly [Key in ShortKey]?: unknown },
): Record<string, unknown> =>
  Object.fromEntries(
    SHORT_KEYS.flatMap((key) => {
      const [name, value] = [SHORTHAND[type][key], given[key]];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
