/** Groups for firewall rules to name, ours and the operator's (VyOS: firewall group). */
import { type Family, family } from "#lib/address.ts";
import { chosenBy, tooMany } from "../chosen.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, GroupSpec, PodChoice, RouterSpec } from "../router.ts";
import { runs } from "../runs.ts";
import { summary } from "../summary.ts";
import { FAMILIES, familiesOf } from "./policy.ts";
import { servedPools } from "./served.ts";

/** A group of one family. */
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
  spec.groups.flatMap((each) => (each.pods === undefined ? fixed(each, spec, view) : ofPods(each, each.pods, view)));

function fixed(spec: GroupSpec, { pools: served }: RouterSpec, view: EdgeView): Group[] {
  const { name, of, pools = served } = spec;
  const members =
    of === "nodes"
      ? view.nodes.flatMap(({ addresses }) => addresses)
      : summary(servedPools({ pools }, view).flatMap(({ prefixes }) => prefixes));
  return FAMILIES.flatMap((version): Group[] => {
    const mine = [...new Set(members.filter((member) => family(member) === version))].sort();
    if (mine.length === 0) return [];
    const kind = of === "nodes" ? "address-group" : "network-group";
    return [{ spec, version, name: nameIn(version, name), kind, members: mine }];
  });
}

/** There without members, too: pods come and go, and an operator's rule that names it would not let it go. */
const ofPods = (spec: GroupSpec, choice: PodChoice, view: EdgeView): Group[] =>
  // Those that any pod may have addresses of.
  familiesOf(view.pools.flatMap(({ prefixes }) => prefixes)).map((version) => {
    const members = runs(chosenBy(choice, view, version));
    return { spec, version, name: nameIn(version, spec.name), kind: "address-group", members };
  });

/** Where a group is on the router. */
export const placeOf = ({ version, name, kind }: Group): Path =>
  pathFrom("firewall", "group", version === 4 ? kind : `ipv6-${kind}`, name);

/** What the group has is what it had when there were fewer. */
export const isTooLarge = ({ spec: { pods }, members }: Group): boolean =>
  pods !== undefined && members.length > pods.most;

export const groupPieces = (groups: readonly Group[]): Piece[] =>
  groups.map((group): Piece => {
    const { kind, members, spec } = group;
    const at = placeOf(group);
    if (spec.pods !== undefined && isTooLarge(group))
      return { at, paths: [], stays: tooMany(members.length, spec.pods) };
    const leaf = kind === "address-group" ? "address" : "network";
    const paths = members.map((member) => pathFrom(...at, leaf, member));
    return spec.pods === undefined ? { at, paths } : { at, paths: [at, ...paths], followsPods: true };
  });
