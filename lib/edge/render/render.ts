/** What a router should have: a pure function of how it is configured and of the cluster. */
import type { Dialect } from "../dialect.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, RouterSpec } from "../router.ts";
import { bgp } from "./bgp.ts";
import { firewall } from "./firewall.ts";
import { groupPieces, groupsOf } from "./groups.ts";
import { legs } from "./legs.ts";
import { nat } from "./nat.ts";
import { pairs } from "./pairs.ts";
import { shapers, vrfs } from "./parts.ts";
import { routes } from "./routes.ts";
import { forwarding, loadBalancers, virtualServers } from "./services.ts";
import { siteBgp } from "./site-bgp.ts";
import { sites } from "./sites.ts";
import { tunnelRoutes } from "./tunnel-routes.ts";

/** @throws SelvedgeError config-invalid: a value that VyOS does not take */
export function render(spec: RouterSpec, view: EdgeView, dialect: Dialect): Piece[] {
  const groups = groupsOf(spec, view);
  return [
    ...(spec.static === undefined ? [] : routes({ ...spec, static: spec.static }, view)),
    ...(spec.bgp === undefined ? [] : bgp({ ...spec, bgp: spec.bgp }, view)),
    ...vrfs(spec),
    ...sites(spec),
    ...siteBgp(spec, view),
    ...nat(spec, view),
    ...groupPieces(groups),
    ...(spec.firewall === undefined ? [] : firewall(spec.firewall, groups)),
    ...loadBalancers(spec, view, dialect),
    ...virtualServers(spec, view),
    ...pairs(spec),
    ...legs(spec, view),
    ...tunnelRoutes(spec),
    ...forwarding(spec),
    ...shapers(spec),
  ];
}
