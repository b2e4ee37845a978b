/** Static routes into tunnels, to other clusters and to what is behind a GRE (VyOS: protocols static). */
import type { Prefix } from "#lib/address.ts";
import { type Line, lineOf, type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { RouterSpec } from "../router.ts";
import { staticAt } from "./static-at.ts";

interface Tunnel {
  readonly interface: string;
  readonly networks: readonly Prefix[];
  readonly distance?: number;
  readonly vrf?: string;
}

/** A destination is one piece, by however many tunnels it is reached: of several distances the smallest counts. */
export function tunnelRoutes({ sites, legs }: RouterSpec): Piece[] {
  const tunnels: Tunnel[] = [
    ...sites.filter(({ bgp }) => bgp === undefined),
    ...legs.filter(({ gre }) => gre !== undefined),
  ];
  const byDestination = new Map<Line, { at: Path; paths: Path[] }>();
  for (const { interface: link, networks, distance, vrf } of tunnels)
    for (const to of new Set(networks)) {
      const at = staticAt(to, vrf);
      const known = byDestination.get(lineOf(at)) ?? { at, paths: [] };
      const more = distance === undefined ? [] : ["distance", distance];
      known.paths.push(pathFrom(...at, "interface", link, ...more));
      byDestination.set(lineOf(at), known);
    }
  return [...byDestination.values()];
}
