/** Groups for the operator's own firewall rules to name (VyOS: firewall group). */
import { family } from "#lib/address.ts";
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, RouterSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { servedPools } from "./served.ts";

/** IPv6 members are in a group of the same name with `-6` after it. */
export function groups(spec: RouterSpec, view: EdgeView): Piece[] {
  return spec.groups.flatMap(({ name, of, pools = spec.pools }) => {
    const members =
      of === "nodes"
        ? view.nodes.flatMap(({ addresses }) => addresses)
        : summary(servedPools({ pools }, view).flatMap(({ prefixes }) => prefixes));
    const [kind, leaf] = of === "nodes" ? ["address-group", "address"] : ["network-group", "network"];
    return ([4, 6] as const).flatMap((version) => {
      const mine = [...new Set(members.filter((member) => family(member) === version))].sort();
      const at = pathFrom(
        "firewall",
        "group",
        version === 4 ? kind : `ipv6-${kind}`,
        version === 4 ? name : `${name}-6`,
      );
      return mine.length === 0 ? [] : [{ at, paths: mine.map((member) => pathFrom(...at, leaf, member)) }];
    });
  });
}
