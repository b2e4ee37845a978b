/**
 * BGP with the nodes (VyOS: protocols bgp, policy). Nodes may announce parts of the pools and egress addresses, and nothing
 * else, and are told nothing but a default route where that is wanted.
 */
import { type Family, family, hostPrefix, lengthOf, type Prefix } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { BgpSpec, EdgeView, RouterSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { servedPools } from "./served.ts";

const GROUP = "SELVEDGE";
const IN = "SELVEDGE-IN";
const OUT = "SELVEDGE-OUT";
const FAMILIES = [4, 6] as const;

interface Words {
  readonly unicast: string;
  readonly list: string;
  readonly match: string;
}
const WORDS: Readonly<Record<Family, Words>> = {
  4: { unicast: "ipv4-unicast", list: "prefix-list", match: "ip" },
  6: { unicast: "ipv6-unicast", list: "prefix-list6", match: "ipv6" },
};

export function bgp(spec: RouterSpec & { readonly bgp: BgpSpec }, view: EdgeView): Piece[] {
  const pools = summary(servedPools(spec, view).flatMap(({ prefixes }) => prefixes));
  const allowed = summary([...pools, ...view.egress.map(({ address }) => hostPrefix(address))]);
  const families = FAMILIES.filter((of) => allowed.some((prefix) => family(prefix) === of));
  if (pools.length === 0) return [];
  const vrf = spec.bgp.vrf === undefined ? [] : ["vrf", "name", spec.bgp.vrf];
  const top = pathFrom(...vrf, "protocols", "bgp");
  return [
    ...families.map((of) =>
      prefixList(
        of,
        allowed.filter((prefix) => family(prefix) === of),
      ),
    ),
    routeMapIn(spec.bgp, families),
    {
      at: pathFrom("policy", "route-map", OUT),
      paths: [pathFrom("policy", "route-map", OUT, "rule", 10, "action", "deny")],
    },
    ...speaker(spec.bgp, view, families).map(
      ({ at, paths, needs }): Piece => ({
        at: [...top, ...at],
        paths: paths.map((path) => pathFrom(...top, ...at, ...path)),
        within: top,
        ...(needs === undefined ? {} : { needs: [...top, ...needs] }),
      }),
    ),
  ];
}

function prefixList(of: Family, prefixes: readonly Prefix[]): Piece {
  const at = pathFrom("policy", WORDS[of].list, IN);
  const longest = of === 4 ? 32 : 128;
  return {
    at,
    paths: prefixes.flatMap((prefix, i) => {
      const rule = (...words: (string | number)[]) => pathFrom(...at, "rule", 10 * (i + 1), ...words);
      return [
        rule("action", "permit"),
        rule("prefix", prefix),
        ...(lengthOf(prefix) < longest ? [rule("le", longest)] : []),
      ];
    }),
  };
}

function routeMapIn({ communities, localPreference }: BgpSpec, families: readonly Family[]): Piece {
  const at = pathFrom("policy", "route-map", IN);
  return {
    at,
    paths: families.flatMap((of) => {
      const rule = (...words: (string | number)[]) => pathFrom(...at, "rule", of === 4 ? 10 : 20, ...words);
      return [
        rule("action", "permit"),
        rule("match", WORDS[of].match, "address", "prefix-list", IN),
        ...communities.map((community) => rule("set", "community", "add", community)),
        ...(localPreference === undefined ? [] : [rule("set", "local-preference", localPreference)]),
      ];
    }),
  };
}

/** Below `protocols bgp`. */
interface Part {
  readonly at: Path;
  /** Below `at`. */
  readonly paths: readonly Path[];
  readonly needs?: Path;
}

/** All of it stands on the router being the AS that was configured. */
const SYSTEM: Path = ["system-as"];

function speaker(spec: BgpSpec, view: EdgeView, families: readonly Family[]): Part[] {
  const part = (at: Path, paths: readonly Path[]): Part => ({ at, paths, needs: SYSTEM });
  const neighbours = view.nodes.flatMap(({ addresses }) =>
    families.length === 0 ? [] : addresses.filter((address, i) => firstOf(addresses, family(address)) === i),
  );
  return [
    { at: SYSTEM, paths: [[`${spec.as}`]] },
    part(["peer-group", GROUP], group(spec, families)),
    ...families.map((of) =>
      part(["address-family", WORDS[of].unicast, "maximum-paths", "ebgp"], [[`${spec.multipath}`]]),
    ),
    ...spec.listen.map((prefix) => part(["listen", "range", prefix], [["peer-group", GROUP]])),
    ...(spec.listen.length > 0
      ? []
      : neighbours.map((address) => part(["neighbor", address], [["peer-group", GROUP]]))),
  ];
}

const firstOf = (addresses: readonly string[], of: Family): number =>
  addresses.findIndex((address) => (address.includes(":") ? 6 : 4) === of);

function group(spec: BgpSpec, families: readonly Family[]): Path[] {
  return [
    ["remote-as", `${spec.nodesAs}`],
    ...(spec.password === undefined ? [] : [["password", spec.password]]),
    ...(spec.bfd === undefined ? [] : [spec.bfd === true ? ["bfd"] : ["bfd", "profile", spec.bfd]]),
    ...(spec.multihop === undefined ? [] : [["ebgp-multihop", `${spec.multihop}`]]),
    ...families.flatMap((of) => {
      const unicast = (...words: string[]): Path => ["address-family", WORDS[of].unicast, ...words];
      return [
        unicast("route-map", "import", IN),
        unicast("route-map", "export", OUT),
        ...(spec.maximumPrefixes === undefined ? [] : [unicast("maximum-prefix", `${spec.maximumPrefixes}`)]),
        ...(spec.defaultRoute ? [unicast("default-originate")] : []),
      ];
    }),
  ];
}
