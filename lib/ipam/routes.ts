/** Reads routes as CNI 1.1.0 spells them: `dst`, `gw`, `mtu`, `advmss`, `priority`, `table`, `scope`. */
import { address, family, networkOf, prefix } from "#lib/address.ts";
import type { PodRoute } from "#lib/attach/kind.ts";
import { absent, type Found, fields, integer, list, optional, refuse } from "#lib/parse.ts";

/** linux/rtnetlink.h: tables, priorities and metrics have 32 bits. */
const U32 = { min: 0, max: 0xffff_ffff };

/** @throws SelvedgeError config-invalid */
export const readRoutes = (found: Found): PodRoute[] => list(found).map(readRoute);

function readRoute(found: Found): PodRoute {
  const at = fields(found);
  const dst = at("dst");
  if (absent(dst)) refuse(dst, 'a destination such as "0.0.0.0/0"');
  const to = networkOf(prefix(dst.value, dst.path));
  const via = optional(at("gw"), (given) => {
    const gateway = address(given.value, given.path);
    return family(gateway) === family(to) ? gateway : refuse(given, `an address of the family of ${to}`);
  });
  const mtu = optional(at("mtu"), (given) => integer(given, { min: 0, max: 65_535 }));
  const advmss = optional(at("advmss"), (given) => integer(given, { min: 0, max: 65_535 }));
  const metric = optional(at("priority"), (given) => integer(given, U32));
  const table = optional(at("table"), (given) => integer(given, U32));
  const scope = optional(at("scope"), (given) => integer(given, { min: 0, max: 255 }));
  return {
    to,
    ...(via === undefined ? {} : { via }),
    // Zero is Go's way of saying nothing.
    ...(mtu ? { mtu } : {}),
    ...(advmss ? { advmss } : {}),
    ...(metric === undefined ? {} : { metric }),
    ...(table ? { table } : {}),
    ...(scope === undefined ? {} : { scope }),
  };
}
