/** Which pools static routes lead to in which table of a router: its own, or a VRF's. */
import type { EdgeView, RouterSpec, StaticSpec } from "../router.ts";
import { type Pools, servedPools } from "./served.ts";

export interface Table {
  /** Absent: the router's own. */
  readonly vrf?: string;
  readonly pools: Pools;
}

/** How VyOS calls the router's own table among VRFs. */
export const OWN = "default";

/** With those that other tables leak into it. */
export function tables(spec: RouterSpec & { readonly static: StaticSpec }, view: Pick<EdgeView, "pools">): Table[] {
  const home = spec.static.vrf ?? OWN;
  const apart = new Set(spec.vrfs.flatMap(({ pools = [] }) => pools));
  const names = new Map<string, Set<string>>();
  const put = (table: string, pools: readonly string[]): void => {
    names.set(table, new Set([...(names.get(table) ?? []), ...pools]));
  };
  const served = servedPools(spec, view).map(({ name }) => name);
  const own = new Map([[home, served.filter((name) => !apart.has(name))]]);
  for (const { name, pools = [] } of spec.vrfs) own.set(name, [...(own.get(name) ?? []), ...pools]);
  for (const [table, pools] of own) put(table, pools);
  for (const { name, leaks = [] } of spec.vrfs) for (const other of leaks) put(other, own.get(name) ?? []);
  return [...names].map(([table, of]) => ({
    ...(table === OWN ? {} : { vrf: table }),
    pools: view.pools.filter(({ name }) => of.has(name)),
  }));
}
