/**
 * BGP with the nodes (VyOS: protocols bgp, policy). Nodes may announce parts of the pools and egress addresses, and nothing
 * else, and are told nothing but a default route where that is wanted.
 */
import { type Address, type Family, family, hostPrefix, type Prefix } from "#lib/address.ts";
import { type Overlap, overlaps, whyNot } from "../connected.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { BgpSpec, EdgeView, RouterSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { familiesOf, ofFamily, prefixList, routeMap, WORDS } from "./policy.ts";
import { servedPools } from "./served.ts";
import { OWN } from "./tables.ts";

const GROUP = "SELVEDGE";
const IN = "SELVEDGE-IN";
const OUT = "SELVEDGE-OUT";

type Speaking = RouterSpec & { readonly bgp: BgpSpec };

export function bgp(spec: Speaking, view: EdgeView): Piece[] {
  const pools = summary(servedPools(spec, view).flatMap(({ prefixes }) => prefixes));
  const allowed = summary([...pools, ...view.egress.map(({ address }) => hostPrefix(address))]);
  const families = familiesOf(allowed);
  if (pools.length === 0) return [];
  const vrf = spec.bgp.vrf === undefined ? [] : ["vrf", "name", spec.bgp.vrf];
  const top = pathFrom(...vrf, "protocols", "bgp");
  const found = overlaps(spec.connected ?? [], servedPools(spec, view), spec.bgp.vrf);
  const lists = families.map((of) => admitted(of, ofFamily(allowed, of), found));
  return [
    ...lists,
    { ...routeMap(IN, families, spec.bgp), needs: lists.map(({ at }) => at) },
    {
      at: pathFrom("policy", "route-map", OUT),
      paths: [pathFrom("policy", "route-map", OUT, "rule", 10, "action", "deny")],
    },
    ...speaker(spec.bgp, view, families).map(
      ({ at, paths, needs }): Piece => ({
        at: [...top, ...at],
        paths: paths.map((path) => pathFrom(...top, ...at, ...path)),
        within: top,
        // Without what they are sifted by, nobody's routes are taken.
        needs: [ADMITTED, ...(needs === undefined ? [] : [[...top, ...needs]])],
      }),
    ),
    ...leaks(spec, families, [...top, ...SYSTEM]),
  ];
}

/** What nodes tell in one VRF is known in others, too, each of which speaks BGP for that. */
function leaks({ bgp: { as, vrf = OWN }, vrfs, sites }: Speaking, families: readonly Family[], needs: Path): Piece[] {
  const others = new Set(vrfs.flatMap(({ name, leaks: to = [] }) => (name === vrf ? to : [])));
  return [...others].flatMap((other) => {
    const top = pathFrom(...(other === OWN ? [] : ["vrf", "name", other]), "protocols", "bgp");
    const system = [...top, ...SYSTEM];
    // With sites the router's AS is said in its own table.
    const isSaid = other === OWN && sites.some(({ bgp }) => bgp !== undefined);
    return [
      ...(isSaid ? [] : [{ at: system, paths: [[...system, `${as}`]], within: top, needs: [needs] }]),
      ...families.map((of): Piece => {
        const at = [...top, "address-family", WORDS[of].unicast, "import", "vrf", vrf];
        return { at, paths: [at], within: top, needs: [system, needs] };
      }),
    ];
  });
}

const ADMITTED = pathFrom("policy", "route-map", IN);

/** What nodes may announce; none yet where the router's own networks are among it. */
function admitted(of: Family, prefixes: readonly Prefix[], found: readonly Overlap[]): Piece {
  const list = prefixList(of, IN, prefixes);
  const [unlessHeld] = prefixes.flatMap((each) => whyNot(found, each) ?? []);
  return unlessHeld === undefined ? list : { ...list, unlessHeld };
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
