import type { PoolUsage } from "#proto/selvedge_pb.ts";
import { count, duration } from "./amount.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

/** How full the pools are; `status` and `ipam` show it. */
export const poolTable = (pools: readonly PoolUsage[], style: Style, widthColumns: number): string[] =>
  table(
    [
      { heading: "POOL", cut: true },
      { heading: "RANGES" },
      { heading: "SIZE", right: true },
      { heading: "USED", right: true },
      { heading: "COOLING", right: true },
      { heading: "RESERVED", right: true },
      { heading: "NEXT FREE" },
    ],
    pools.map((pool) => [
      pool.name,
      pool.ranges,
      count(pool.size),
      count(pool.used),
      count(pool.cooling),
      count(pool.reserved),
      nextFree(pool),
    ]),
    style,
    widthColumns,
  );

const nextFree = ({ size, used, cooling, reserved, nextFreeMs }: PoolUsage): string =>
  nextFreeMs > 0 ? `in ${duration(nextFreeMs)}` : used + cooling + reserved < size ? "now" : "unknown";
