/** Which pools a router, or a part of what it does, is about. */
import type { EdgeView } from "../router.ts";

export type Pools = EdgeView["pools"];

/** Those that are named; without any name those of exposed networks. */
export const servedPools = (
  { pools = [] }: { readonly pools?: readonly string[] },
  view: Pick<EdgeView, "pools">,
): Pools => view.pools.filter(({ name, isExposed }) => (pools.length === 0 ? isExposed : pools.includes(name)));
