/**
 * BGP with the nodes (VyOS: protocols bgp, policy). Nodes may announce parts of the pools and egress addresses, and nothing
 * else, and are told nothing but a default route where that is wanted.
 */
import { type Address, type Family, family, hostPrefix } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { BgpSpec, EdgeView, RouterSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { familiesOf, ofFamily, prefixList, routeMap, WORDS } from "./policy.ts";
import { servedPools } from "./served.ts";

const GROUP = "SELVEDGE";
const IN = "SELVEDGE-IN";
const OUT = "SELVEDGE-OUT";

export function bgp(spec: RouterSpec & { readonly bgp: BgpSpec }, view: EdgeView): Piece[] {
  const pools = summary(servedPools(spec, view).flatMap(({ prefixes }) => prefixes));
  const allowed = summary([...pools, ...view.egress.map(({ address }) => hostPrefix(address))]);
  const families = familiesOf(allowed);
  if (pools.length === 0) return [];
  const vrf = spec.bgp.vrf === undefined ? [] : ["vrf", "name", spec.bgp.vrf];
  const top = pathFrom(...vrf, "protocols", "bgp");
  return [
    ...families.map((of) => prefixList(of, IN, ofFamily(allowed, of))),
    routeMap(IN, families, spec.bgp),
    {
      at: pathFrom("policy", "route-map", OUT),
      paths: [pathFrom("policy", "route-map", OUT, "rule", 10, "action", "deny")],
    },
    ...speaker(spec.bgp, view, families).map(
      ({ at, paths, needs }): Piece => ({
        at: [...top, ...at],
        paths: paths.map((path) => pathFrom(...top, ...at, ...path)),
        within: top,
        ...(needs === undefined ? {} : { needs: [[...top, ...needs]] }),
      }),
    ),
  ];
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
    ...families.flatMap((of) =>
      ["ebgp", ...(isInternal(spec) ? ["ibgp"] : [])].map((kind) =>
        part(["address-family", WORDS[of].unicast, "maximum-paths", kind], [[`${spec.multipath}`]]),
      ),
    ),
    ...spec.listen.map((prefix) => part(["listen", "range", prefix], [["peer-group", GROUP]])),
    ...(spec.listen.length > 0
      ? []
      : neighbours.map((address) => part(["neighbor", address], [["peer-group", GROUP]]))),
  ];
}

const isInternal = ({ as, nodesAs }: BgpSpec): boolean => nodesAs === "internal" || nodesAs === as;

const firstOf = (addresses: readonly Address[], of: Family): number =>
  addresses.findIndex((address) => family(address) === of);

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
