/** Which of the objects that Kubernetes holds makes wrong what is wrong by none of them alone. */
import { poolsOf } from "./overlaps.ts";
import type { Resource } from "./resources.ts";

/**
 * Of what the configuration file says.
 * The first network after which it is wrong, else the first pool, else the first tenant. Pools whose networks are still to come are left out
 * with them: a pool that no network names is the node's own, which may be wrong only for want of its network.
 * @param all with all of them it is wrong
 */
export function culprit(
  all: readonly Resource[],
  isWrong: (resources: readonly Resource[]) => boolean,
): Resource | undefined {
  const tenants = all.filter(({ kind }) => kind === "Tenant");
  const pools = all.filter(({ kind }) => kind === "AddressPool");
  const networks = all.filter(({ kind }) => kind === "Network");
  const network = firstAfterWhich(networks, (some) => {
    const later = new Set(networks.slice(some.length).flatMap(({ spec }) => poolsOf(spec, undefined)));
    return isWrong([...tenants, ...pools.filter(({ name }) => !later.has(name)), ...some]);
  });
  if (network !== undefined && !isWrong(all.filter((each) => each !== network))) return network;
  const pool = firstAfterWhich(pools, (some) => isWrong([...tenants, ...some, ...networks]));
  const tenant = () => firstAfterWhich(tenants, (some) => isWrong([...some, ...pools, ...networks]));
  return pool ?? network ?? tenant() ?? all.at(-1);
}

/** Once it is so it stays so. Undefined where it is so without any of them. */
export function firstAfterWhich(
  all: readonly Resource[],
  isSo: (some: readonly Resource[]) => boolean,
): Resource | undefined {
  if (all.length === 0 || isSo([])) return undefined;
  let [before, after] = [0, all.length];
  while (after - before > 1) {
    const middle = (before + after) >> 1;
    if (isSo(all.slice(0, middle))) after = middle;
    else before = middle;
  }
  return all[after - 1];
}
