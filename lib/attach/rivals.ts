/** What two links on one parent cannot both be: the kernel would refuse the second, or change the first with it. */
import type { LinkFact } from "#lib/state/fact.ts";

export interface Rivalry {
  readonly field: "master" | "mode" | "vlanId";
  /** What is wrong with the value of the field, as the rest of the sentence. */
  readonly why: string;
  readonly hint: string;
}

/** Why `wanted` cannot stand beside `other`, if they hang on the same parent of the same namespace. */
export function rivalry(wanted: LinkFact, other: LinkFact): Rivalry | undefined {
  const parent = wanted.parent?.name ?? "";
  if (wanted.kind === "vlan" && other.kind === "vlan") return sameVlan(wanted, other, parent);
  const kinds = [wanted.kind, other.kind];
  // A link has one rx_handler (net/core/dev.c, netdev_rx_handler_register): EBUSY.
  if (kinds.includes("macvlan") && kinds.includes("ipvlan"))
    return {
      field: "master",
      why: `"${parent}" carries ${other.kind} links, and no link can carry ${wanted.kind} links beside them`,
      hint: `Take ${other.kind} for this network, too, or another parent; an idle shim of the node is gone after the next full pass.`,
    };
  // drivers/net/macvlan.c, macvlan_common_newlink: EINVAL.
  if (wanted.kind === "macvlan" && (wanted.mode === "passthru" || other.mode === "passthru"))
    return {
      field: "mode",
      why: `"${wanted.mode}" is not possible on "${parent}", which carries a macvlan in mode "${other.mode}": "passthru" shares its parent with nobody`,
      hint: "Take another parent, or another mode for both.",
    };
  // drivers/net/ipvlan/ipvlan_main.c, ipvlan_set_port_mode: the mode is the parent's, and all links on it would follow.
  if (wanted.kind === "ipvlan" && wanted.mode !== other.mode)
    return {
      field: "mode",
      why: `"${wanted.mode}" is not possible on "${parent}", whose ipvlan links are in mode "${other.mode}": all on one parent have the same`,
      hint: "Take the same mode, or another parent.",
    };
  return undefined;
}

function sameVlan(wanted: LinkFact, other: LinkFact, parent: string): Rivalry | undefined {
  if (wanted.vlan?.id !== other.vlan?.id || wanted.vlan?.protocol !== other.vlan?.protocol) return undefined;
  return {
    field: "vlanId",
    why: `${wanted.vlan?.id} is taken on "${parent}": a link carries each VLAN once`,
    hint: 'For several pods in one VLAN take "bridge" with "vlan", or "macvlan" on a VLAN link of the node.',
  };
}

/** True for links that a parent carries. */
export const hangsOn = (link: LinkFact): boolean =>
  link.parent !== undefined && (link.kind === "macvlan" || link.kind === "ipvlan" || link.kind === "vlan");
