/** What must agree within the settings of routers, and with the rest of the file. */
import { address, contains } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp, unknownName } from "./complaint.ts";
import { firewallMistakes, groupMistakes } from "./edge-firewall.ts";
import { legMistakes } from "./edge-legs.ts";
import { pairMistakes } from "./edge-pairs.ts";
import { secretMistakes } from "./edge-secrets.ts";
import { familyIn, serviceMistakes } from "./edge-services.ts";
import { tunnelKind } from "./edge-tunnels.ts";
import { sameRouters } from "./edge-twice.ts";
import { vrfMistakes } from "./edge-vrfs.ts";
import { isText } from "./leaves.ts";
import { firstWithin, listAt, NO_TENANT, poolTenants, prefixesOf, subnetsOf } from "./overlaps.ts";
import { sameInterfaces, sameNames } from "./twice.ts";
import type { Path } from "./yaml.ts";

export function edgeMistakes(root: unknown, pools: ReadonlySet<string>): Complaint[] {
  const routers = listAt(lookUp(root, ["edge"]), "routers");
  const names = routers.map((router) => lookUp(router, ["name"]));
  const ofRouters = routers.flatMap((router, i) => {
    const at = (...path: (string | number)[]): Path => ["edge", "routers", i, ...path];
    const isBoth = lookUp(router, ["static"]) !== undefined && lookUp(router, ["bgp"]) !== undefined;
    const sites = listAt(router, "sites");
    const trust = ["ca", "fingerprint"].filter((way) => lookUp(router, ["trust", way]) !== undefined);
    return [
      ...secretMistakes(root, at()),
      ...(isBoth ? [complaint(at("bgp"), "is not possible beside `static`; use one of them")] : []),
      ...speakerMistakes(root, router, at("bgp")),
      ...(trust.length > 1
        ? [complaint(at("trust", "ca"), "does not count beside `fingerprint`; leave one of them out")]
        : []),
      ...sameInterfaces(sites, at("sites"), "site"),
      ...sites.flatMap((site, j) => [
        ...tunnelKind(site, at("sites", j), { wireguard: "wg", ipsec: "vti" }).mistakes,
        ...siteBgpMistakes(router, lookUp(site, ["bgp"]), listAt(site, "addresses"), at("sites", j, "bgp")),
      ]),
      ...groupMistakes(root, at()),
      ...firewallMistakes(router, at()),
      ...serviceMistakes(root, at()),
      ...legMistakes(root, at()),
      ...vrfMistakes(router, at()),
      ...mixedFamilies(lookUp(router, ["nat"])).map(([path, message]) => complaint(at("nat", ...path), message)),
      ...ownAddressesOfSites(root, router).map(({ site, pool, message }) => ({
        ...complaint(at("sites", site, "networks"), message),
        against: ["pools", pool],
      })),
      ...listAt(router, "shapers").flatMap((shaper, j) => {
        const sum = listAt(shaper, "classes").reduce(
          (all: number, each) => all + (Number(lookUp(each, ["percent"])) || 0),
          0,
        );
        return sum < 100
          ? []
          : [complaint(at("shapers", j, "classes"), `have ${sum} percent together; they must have fewer than 100`)];
      }),
      ...poolsIn(router).flatMap(([path, pool]) =>
        typeof pool === "string" && !pools.has(pool) ? [unknownName(at(...path), "pool", pool, pools)] : [],
      ),
    ];
  });
  return [
    ...sameNames(routers, ["edge", "routers"]),
    ...sameRouters(root),
    ...ofRouters,
    ...pairMistakes(lookUp(root, ["edge"]), ["edge"], names.filter(isText)),
  ];
}

/** The AS that FRR on the node has towards a router; undefined where it has no session with it, or the AS cannot be told. */
function speaksAs(router: unknown): number | undefined {
  const bgp = lookUp(router, ["bgp"]);
  const [as, nodesAs] = [lookUp(bgp, ["as"]), lookUp(bgp, ["nodesAs"])];
  const own = nodesAs === "internal" ? as : nodesAs;
  return listAt(bgp, "addresses").length > 0 && typeof own === "number" ? own : undefined;
}

function speakerMistakes(root: unknown, router: unknown, path: Path): Complaint[] {
  const bgp = lookUp(router, ["bgp"]);
  if (listAt(bgp, "addresses").length === 0) return [];
  if (lookUp(bgp, ["nodesAs"]) === "external")
    return [
      complaint([...path, "nodesAs"], 'must be a number, or "internal", where FRR on the nodes calls `addresses`'),
    ];
  const own = speaksAs(router);
  const all = listAt(lookUp(root, ["edge"]), "routers").map(speaksAs);
  const first = all.findIndex((each) => each !== undefined);
  if (own === undefined || own === all[first]) return [];
  const text = `is ${own}, and ${all[first]} for another router; a node has one AS`;
  return [{ ...complaint([...path, "nodesAs"], text), against: ["edge", "routers", first] }];
}

/** Nothing is translated from one family to the other. */
function mixedFamilies(nat: unknown): [path: (string | number)[], message: string][] {
  const ends = [
    ["egress", "source", "address"],
    ["oneToOne", "inside", "outside"],
    ["publish", "to", "address"],
  ] as const;
  return ends.flatMap(([list, inner, outer]) =>
    listAt(nat, list).flatMap((each, i): [(string | number)[], string][] => {
      const [inside, outside] = [lookUp(each, [inner]), lookUp(each, [outer])].map(familyIn);
      if (inside === undefined || outside === undefined || inside === outside) return [];
      return [[[list, i, outer], `is IPv${outside}, and \`${inner}\` is IPv${inside}; both are of one family`]];
    }),
  );
}

function siteBgpMistakes(router: unknown, bgp: unknown, addresses: readonly unknown[], path: Path): Complaint[] {
  const [as, neighbour] = [lookUp(bgp, ["as"]), lookUp(bgp, ["neighbour"])];
  if (typeof as !== "number" || typeof neighbour !== "string") return [];
  const ases = [
    ...(lookUp(router, ["bgp", "vrf"]) === undefined ? [lookUp(router, ["bgp", "as"])] : []),
    ...listAt(router, "sites").map((site) => lookUp(site, ["bgp", "as"])),
  ];
  const other = ases.find((each) => typeof each === "number");
  const networks = prefixesOf(addresses);
  const there = readable(() => address(neighbour));
  return [
    ...(other === undefined || other === as
      ? []
      : [complaint([...path, "as"], `is ${as}, and ${String(other)} elsewhere; a router has one AS`)]),
    ...(there === undefined || networks.some((network) => contains(network, there))
      ? []
      : [complaint([...path, "neighbour"], `${neighbour} is on no network of the tunnel's \`addresses\``)]),
  ];
}

/** Pods of a pool are here: a tunnel that leads to its addresses, or to some of them, would take them away. */
function ownAddressesOfSites(root: unknown, router: unknown): { site: number; pool: number; message: string }[] {
  const isApart = ["static", "bgp"].some((way) => lookUp(router, [way, "vrf"]) !== undefined);
  if (isApart) return [];
  const named = listAt(router, "pools");
  const tenantsOf = poolTenants(root);
  return listAt(router, "sites").flatMap((each, site) => {
    const networks = prefixesOf(listAt(each, "networks"));
    return listAt(root, "pools").flatMap((of, pool) => {
      const name = lookUp(of, ["name"]);
      const isServed = named.length > 0 ? named.includes(name) : tenantsOf(name).has(NO_TENANT);
      const pair = isServed ? firstWithin(networks, subnetsOf(lookUp(of, ["ranges"]))) : undefined;
      if (pair === undefined) return [];
      const [network, subnet] = pair;
      const message = `${network} is here: pool "${String(name)}" has ${subnet}; name only what is reached there`;
      return [{ site, pool, message }];
    });
  });
}

/** What a router names, and where. */
export function poolsIn(router: unknown): [path: (string | number)[], pool: unknown][] {
  const lists: [(string | number)[], unknown][] = [
    [[], router],
    ...listAt(lookUp(router, ["nat"]), "masquerade").map((each, j): [(string | number)[], unknown] => [
      ["nat", "masquerade", j],
      each,
    ]),
    ...listAt(router, "vrfs").map((each, j): [(string | number)[], unknown] => [["vrfs", j], each]),
    ...listAt(router, "groups").map((each, j): [(string | number)[], unknown] => [["groups", j], each]),
  ];
  return lists.flatMap(([path, holder]) =>
    listAt(holder, "pools").map((pool, k): [(string | number)[], unknown] => [[...path, "pools", k], pool]),
  );
}
