/** MTUs of networks that are too little for the addresses that their pods have. */
import { family } from "#lib/address.ts";
import { IPV6_LEAST_MTU } from "#lib/least-mtu.ts";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { listAt, poolsOf, subnetsOf } from "./overlaps.ts";
import { DEFAULT_POOLS } from "./schema.ts";

export function mtuMistakes(root: unknown): Complaint[] {
  const pools: readonly unknown[] = lookUp(root, ["pools"]) === undefined ? DEFAULT_POOLS : listAt(root, "pools");
  const fallback = lookUp(root, ["defaultPool"]) ?? "default";
  return listAt(root, "networks").flatMap((network, i) => {
    const own = lookUp(network, ["mtu"]);
    const path = own === undefined ? ["defaults", "mtu"] : ["networks", i, "mtu"];
    const mtu = lookUp(root, path);
    if (typeof mtu !== "number" || mtu >= IPV6_LEAST_MTU) return [];
    const drawn = poolsOf(network, fallback);
    const six = pools
      .filter((pool) => drawn.includes(lookUp(pool, ["name"])))
      .flatMap((pool) => subnetsOf(lookUp(pool, ["ranges"])))
      .find((subnet) => family(subnet) === 6);
    if (six === undefined) return [];
    const text = `${mtu} is too little for ${six}, of which network ${JSON.stringify(lookUp(network, ["name"]))} has addresses: IPv6 needs ${IPV6_LEAST_MTU} bytes`;
    // Network and pool together: neither is wrong by itself.
    return [{ ...complaint(path, text), isOfSeveral: true }];
  });
}
