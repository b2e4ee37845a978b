/** What must agree within the VRFs of a router. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { isText } from "./leaves.ts";
import { listAt } from "./overlaps.ts";
import { sameNames } from "./twice.ts";
import type { Path } from "./yaml.ts";

/** The router's own table. */
const OWN = "default";

/** @param path of the router */
export function vrfMistakes(router: unknown, path: Path): Complaint[] {
  const all = listAt(router, "vrfs");
  const at = (...more: Path): Path => [...path, "vrfs", ...more];
  const isStatic = lookUp(router, ["static"]) !== undefined;
  /** VRFs that something of ours is in beside static routes. */
  const inside = [...listAt(router, "legs"), lookUp(router, ["bgp"])]
    .filter((each) => each !== undefined)
    .map((each) => lookUp(each, ["vrf"]) ?? OWN);
  /** By pool. */
  const holders = new Map<string, string>();
  const ofEach = all.flatMap((each, i) => {
    const name = String(lookUp(each, ["name"]));
    const pools = listAt(each, "pools").filter(isText);
    const leaks = listAt(each, "leaks");
    const twice = pools.flatMap((pool, j) => {
      const holder = holders.get(pool);
      holders.set(pool, name);
      return holder === undefined
        ? []
        : [
            complaint(
              at(i, "pools", j),
              `"${pool}" is in VRF ${holder} already; a pool is in one, and others have it by \`leaks\``,
            ),
          ];
    });
    return [
      ...(name === OWN ? ["table", "pools"] : []).flatMap((key) =>
        lookUp(each, [key]) === undefined
          ? []
          : [complaint(at(i, key), "is not possible for `default`, which is the router's own table")],
      ),
      ...(pools.length > 0 && !isStatic
        ? [complaint(at(i, "pools"), "needs `static`; sessions of `bgp` have one table, `bgp.vrf`")]
        : []),
      ...twice,
      ...(leaks.length > 0 && !isStatic && !inside.includes(name)
        ? [
            complaint(
              at(i, "leaks"),
              `needs \`static\`, or \`bgp\` or a leg in this VRF: nothing of ours is in ${name}`,
            ),
          ]
        : []),
      ...leaks.flatMap((leak, j) =>
        leak === name ? [complaint(at(i, "leaks", j), "is this VRF itself; name others")] : [],
      ),
    ];
  });
  return [...sameNames(all, at()), ...ofEach];
}
