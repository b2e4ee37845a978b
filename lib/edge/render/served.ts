/** Which pools a router, or a part of what it does, is about. */
import type { EdgeView } from "../router.ts";

export type Pools = EdgeView["pools"];

/** Those that are named; without any name all that are no tenant's. */
export const servedPools = ({ pools = [] }: { readonly pools?: readonly string[] }, view: EdgeView): Pools =>
  view.pools.filter(({ name, isTenants }) => (pools.length === 0 ? !isTenants : pools.includes(name)));
