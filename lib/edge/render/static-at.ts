/** Where a static route is, in the table of a VRF or the router's own (VyOS: protocols static). */
import { family, type Prefix } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";

export const staticAt = (to: Prefix, vrf: string | undefined): Path =>
  pathFrom(
    ...(vrf === undefined ? [] : ["vrf", "name", vrf]),
    "protocols",
    "static",
    family(to) === 4 ? "route" : "route6",
    to,
  );
