/** Static routes into tunnels, to other clusters and to what is behind a GRE (VyOS: protocols static). */
import { networkOf, type Prefix } from "#lib/address.ts";
import { type Line, lineOf, type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { LegSpec, RouterSpec } from "../router.ts";
import { staticAt } from "./static-at.ts";
import { OWN } from "./tables.ts";

interface Tunnel {
  readonly interface: string;
  readonly networks: readonly Prefix[];
  readonly distance?: number;
  readonly vrf?: string;
  /** VRF that the interface is in, where that is another than the route's. */
  readonly through?: string;
}

/** What a VRF leads to by a leg, other VRFs do too. */
function leaked(
  { interface: link, addresses, networks, vrf = OWN }: LegSpec,
  { vrfs }: Pick<RouterSpec, "vrfs">,
): Tunnel[] {
  const reached = [...addresses.map(networkOf), ...networks];
  const others = vrfs.flatMap(({ name, leaks = [] }) => (name === vrf ? leaks : []));
  return others.map((other) => ({
    interface: link,
    networks: reached,
    ...(other === OWN ? {} : { vrf: other }),
    through: vrf,
  }));
}

/** A destination is one piece, by however many tunnels it is reached: of several distances the smallest counts. */
export function tunnelRoutes({ sites, legs, vrfs }: RouterSpec): Piece[] {
  const tunnels: Tunnel[] = [
    ...sites.filter(({ bgp }) => bgp === undefined),
    ...legs.filter(({ gre }) => gre !== undefined),
    ...legs.flatMap((leg) => leaked(leg, { vrfs })),
  ];
  const byDestination = new Map<Line, { at: Path; paths: Path[] }>();
  for (const { interface: link, networks, distance, vrf, through } of tunnels)
    for (const to of new Set(networks)) {
      const at = staticAt(to, vrf);
      const known = byDestination.get(lineOf(at)) ?? { at, paths: [] };
      const more = [
        ...(distance === undefined ? [] : ["distance", distance]),
        ...(through === undefined ? [] : ["vrf", through]),
      ];
      known.paths.push(pathFrom(...at, "interface", link, ...more));
      byDestination.set(lineOf(at), known);
    }
  return [...byDestination.values()];
}
