/** Groups for firewall rules to name, ours and the operator's (VyOS: firewall group). */
import { type Family, family } from "#lib/address.ts";
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, GroupSpec, RouterSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { servedPools } from "./served.ts";

/** A group of one family that has members. */
export interface Group {
  readonly spec: GroupSpec;
  readonly version: Family;
  /** As rules name it. */
  readonly name: string;
  readonly kind: "address-group" | "network-group";
  readonly members: readonly string[];
}

/** On the router each family has its own: IPv6's is of the same name with `-6` after it. */
export const nameIn = (of: Family, name: string): string => (of === 4 ? name : `${name}-6`);

export const groupsOf = (spec: RouterSpec, view: EdgeView): Group[] =>
  spec.groups.flatMap((each) => {
    const { name, of, pools = spec.pools } = each;
    const members =
      of === "nodes"
        ? view.nodes.flatMap(({ addresses }) => addresses)
        : summary(servedPools({ pools }, view).flatMap(({ prefixes }) => prefixes));
    return ([4, 6] as const).flatMap((version): Group[] => {
      const mine = [...new Set(members.filter((member) => family(member) === version))].sort();
      if (mine.length === 0) return [];
      const kind = of === "nodes" ? "address-group" : "network-group";
      return [{ spec: each, version, name: nameIn(version, name), kind, members: mine }];
    });
  });

export const groups = (spec: RouterSpec, view: EdgeView): Piece[] =>
  groupsOf(spec, view).map(({ version, name, kind, members }) => {
    const at = pathFrom("firewall", "group", version === 4 ? kind : `ipv6-${kind}`, name);
    const leaf = kind === "address-group" ? "address" : "network";
    return { at, paths: members.map((member) => pathFrom(...at, leaf, member)) };
  });
