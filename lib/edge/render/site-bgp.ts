/**
 * BGP with the routers of other clusters, within the tunnels (VyOS: protocols bgp neighbor): each tells the other its pools,
 * and nothing else is taken than what the site is said to have. A tunnel of WireGuard never goes down: without a session
 * nobody notices that the other end is gone.
 */
import { type Family, family, lengthOf, type Prefix } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, RouterSpec, SiteBgpSpec, SiteSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { servedPools } from "./served.ts";

const HERE = "SELVEDGE-HERE";
const TOP: Path = ["protocols", "bgp"];
const SYSTEM: Path = [...TOP, "system-as"];
const WORDS = {
  4: { unicast: "ipv4-unicast", list: "prefix-list", match: "ip", longest: 32 },
  6: { unicast: "ipv6-unicast", list: "prefix-list6", match: "ipv6", longest: 128 },
} as const;
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
  const families = ([4, 6] as const).filter((of) => pools.some((prefix) => family(prefix) === of));
  const said = families.flatMap((of) => [...ofFamily(pools, of)]);
  return [
    ...families.map((of) => list(of, HERE, ofFamily(pools, of), { isWhole: true })),
    routeMap(HERE, families),
    ...(isSaid(spec) ? [] : [part(["system-as"], [[`${first.bgp.as}`]])]),
    ...said.map((prefix) => part(["address-family", WORDS[family(prefix)].unicast, "network", prefix], [[]], SYSTEM)),
    ...spoken.flatMap((site) => session(site, families)),
  ];
}

const ofFamily = (prefixes: readonly Prefix[], of: Family): Prefix[] => prefixes.filter((each) => family(each) === of);

const part = (at: Path, paths: readonly Path[], needs?: Path): Piece => ({
  at: [...TOP, ...at],
  paths: paths.map((path) => pathFrom(...TOP, ...at, ...path)),
  within: TOP,
  ...(needs === undefined ? {} : { needs }),
});

function list(
  of: Family,
  name: string,
  prefixes: readonly Prefix[],
  { isWhole }: { readonly isWhole: boolean },
): Piece {
  const { list: word, longest } = WORDS[of];
  const at = pathFrom("policy", word, name);
  return {
    at,
    paths: prefixes.flatMap((prefix, i) => {
      const rule = (...words: (string | number)[]) => pathFrom(...at, "rule", 10 * (i + 1), ...words);
      const more = isWhole || lengthOf(prefix) === longest ? [] : [rule("le", longest)];
      return [rule("action", "permit"), rule("prefix", prefix), ...more];
    }),
  };
}

function routeMap(name: string, families: readonly Family[], localPreference?: number): Piece {
  const at = pathFrom("policy", "route-map", name);
  return {
    at,
    paths: families.flatMap((of) => {
      const rule = (...words: (string | number)[]) => pathFrom(...at, "rule", of === 4 ? 10 : 20, ...words);
      return [
        rule("action", "permit"),
        rule("match", WORDS[of].match, "address", "prefix-list", name),
        ...(localPreference === undefined ? [] : [rule("set", "local-preference", localPreference)]),
      ];
    }),
  };
}

/** Nothing of a family that the site has no networks of. */
function session({ name, networks, bgp }: Spoken, spoken: readonly Family[]): Piece[] {
  const own = `SELVEDGE-SITE-${name}`;
  const families = spoken.filter((of) => networks.some((prefix) => family(prefix) === of));
  return [
    ...families.map((of) => list(of, own, ofFamily(networks, of), { isWhole: false })),
    routeMap(own, families, bgp.localPreference),
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
