/**
 * BGP with the routers of other clusters, within the tunnels (VyOS: protocols bgp neighbor): each tells the other its pools,
 * and nothing else is taken than what the site is said to have. A tunnel of WireGuard never goes down: without a session
 * nobody notices that the other end is gone.
 */
import { type Family, family } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, RouterSpec, SiteBgpSpec, SiteSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { familiesOf, ofFamily, prefixList, routeMap, WORDS } from "./policy.ts";
import { servedPools } from "./served.ts";

const HERE = "SELVEDGE-HERE";
const TOP: Path = ["protocols", "bgp"];
const SYSTEM: Path = [...TOP, "system-as"];
/** Seconds; RFC 4271, 10: three keepalives in a hold time. */
const [KEEPALIVE, HOLD] = [3, 9];

type Spoken = SiteSpec & { readonly bgp: SiteBgpSpec };

/** The AS of the router stands there once: with that of the nodes, where they speak BGP in the same table. */
const isSaid = ({ bgp }: RouterSpec): boolean => bgp !== undefined && bgp.vrf === undefined;

export function siteBgp(spec: RouterSpec, view: EdgeView): Piece[] {
  const spoken = spec.sites.flatMap((site) => (site.bgp === undefined ? [] : [{ ...site, bgp: site.bgp }]));
  const pools = summary(servedPools(spec, view).flatMap(({ prefixes }) => prefixes));
  const [first] = spoken;
  if (first === undefined || pools.length === 0) return [];
  const families = familiesOf(pools);
  const said = families.flatMap((of) => ofFamily(pools, of));
  return [
    ...families.map((of) => prefixList(of, HERE, ofFamily(pools, of), { isWhole: true })),
    routeMap(HERE, families),
    ...(isSaid(spec) ? [] : [part(["system-as"], [[`${first.bgp.as}`]])]),
    ...said.map((prefix) => part(["address-family", WORDS[family(prefix)].unicast, "network", prefix], [[]], SYSTEM)),
    ...spoken.flatMap((site) => session(site, families)),
  ];
}

const part = (at: Path, paths: readonly Path[], needs?: Path): Piece => ({
  at: [...TOP, ...at],
  paths: paths.map((path) => pathFrom(...TOP, ...at, ...path)),
  within: TOP,
  ...(needs === undefined ? {} : { needs: [needs] }),
});

/** Nothing of a family that the site has no networks of. */
function session({ name, networks, bgp }: Spoken, spoken: readonly Family[]): Piece[] {
  const own = `SELVEDGE-SITE-${name}`;
  const families = spoken.filter((of) => networks.some((prefix) => family(prefix) === of));
  return [
    ...families.map((of) => prefixList(of, own, ofFamily(networks, of))),
    routeMap(own, families, bgp),
    part(
      ["neighbor", bgp.neighbour],
      [
        ["remote-as", `${bgp.remoteAs}`],
        ["description", `selvedge ${name}`],
        ...(bgp.bfd ? [["bfd"]] : []),
        ["timers", "keepalive", `${KEEPALIVE}`],
        ["timers", "holdtime", `${HOLD}`],
        ...families.flatMap((of): Path[] => [
          ["address-family", WORDS[of].unicast, "route-map", "import", own],
          ["address-family", WORDS[of].unicast, "route-map", "export", HERE],
        ]),
      ],
      SYSTEM,
    ),
  ];
}
