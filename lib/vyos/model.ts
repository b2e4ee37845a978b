/**
 * A router's configuration as VyOS changes it: one commit, whose parts succeed or fail on their own, in the order of their
 * priorities (vyos-1x: src/services, python/vyos/configsession.py; refusals: src/conf_mode of 1.4). No I/O: the fake and the
 * tests' stand-in are built on it.
 */
import { isBelow, lineOf, type Path } from "#lib/edge/path.ts";
import { cut, endsOf, grow, nodeAt, type Tree } from "#lib/edge/tree.ts";
import type { Command } from "./vyos.ts";

/** What is committed as a whole, the earlier first (`priority` of interface-definitions). */
const OWNERS: readonly Path[] = [
  ["firewall"],
  ["policy"],
  ["nat"],
  ["nat66"],
  ["protocols", "static"],
  ["protocols", "bgp"],
  ["load-balancing"],
  ["service", "dns"],
  ["vrf"],
];

const ownerOf = (path: Path): Path => OWNERS.find((owner) => isBelow(path, owner)) ?? path.slice(0, 1);

export interface Committed {
  readonly tree: Tree;
  /** What the router says of the parts that failed; empty when all of it was made. */
  readonly refusals: readonly string[];
}

export interface CommitOptions {
  /** Parts that fail besides, for no reason of theirs. */
  readonly fails?: (owner: Path) => boolean;
  /** Whether a path ends in the value of a leaf that has one: a new one takes its place. Without a grammar there is none. */
  readonly isSingle?: (path: Path) => boolean;
}

export function commit(
  before: Tree,
  commands: readonly Command[],
  { fails = () => false, isSingle = () => false }: CommitOptions = {},
): Committed {
  const wanted = copyOf(before);
  for (const { op, path } of commands) {
    if (op === "delete") prune(wanted, path);
    else if (isSingle(path)) cut(wanted, path.slice(0, -1));
    if (op === "set") grow(wanted, path);
  }
  const tree = copyOf(before);
  const refusals: string[] = [];
  const touched = new Set(commands.map(({ path }) => lineOf(ownerOf(path))));
  const owners = [...OWNERS, ...commands.map(({ path }) => ownerOf(path))];
  for (const owner of new Map(owners.map((each) => [lineOf(each), each])).values()) {
    if (!touched.has(lineOf(owner))) continue;
    const said = fails(owner) ? "it does not work now" : refusalOf(owner, wanted);
    if (said === undefined) replace(tree, owner, wanted);
    else refusals.push(`[ ${owner.join(" ")} ]\n${said}\n\n[[${owner.join(" ")}]] failed\n`);
  }
  return { tree, refusals };
}

/** Nodes that hold values by name, and are gone with the last of them (vyatta-cfg: tag nodes); others stay empty. */
const TAGS: ReadonlySet<string> = new Set([
  ...[
    "route",
    "route6",
    "next-hop",
    "neighbor",
    "peer-group",
    "range",
    "rule",
    "prefix-list",
    "prefix-list6",
    "route-map",
  ],
  ...["network-group", "ipv6-network-group", "address-group", "ipv6-address-group", "network", "address"],
  ...["service", "backend", "server", "domain", "name-server"],
]);

function prune(tree: Tree, path: Path): void {
  cut(tree, path);
  const above = path.slice(0, -1);
  if (TAGS.has(above.at(-1) ?? "") && nodeAt(tree, above)?.size === 0) cut(tree, above);
}

export const copyOf = (tree: Tree): Tree => new Map([...tree].map(([name, below]) => [name, copyOf(below)]));

function replace(tree: Tree, at: Path, by: Tree): void {
  cut(tree, at);
  const node = nodeAt(by, at);
  if (node === undefined) return;
  grow(tree, at);
  for (const end of endsOf(node, at)) grow(tree, end);
}

/** What conf_mode's `verify` says; undefined: nothing. */
function refusalOf(owner: Path, wanted: Tree): string | undefined {
  switch (lineOf(owner) as string) {
    case "protocols bgp":
      return bgpRefusal(wanted);
    case "policy":
      return policyRefusal(wanted);
    case "load-balancing":
      return balancerRefusal(wanted);
    default:
      return undefined;
  }
}

const names = (tree: Tree, ...path: string[]): string[] => [...(nodeAt(tree, path)?.keys() ?? [])];

function bgpRefusal(tree: Tree): string | undefined {
  const bgp = nodeAt(tree, ["protocols", "bgp"]);
  if (bgp === undefined) return undefined;
  const [as, another] = names(bgp, "system-as");
  if (as === undefined || another !== undefined) return "BGP system-as number must be defined!";
  const groups = names(bgp, "peer-group");
  for (const range of names(bgp, "listen", "range")) {
    const [group] = names(bgp, "listen", "range", range, "peer-group");
    if (group === undefined) return `Listen range for prefix "${range}" has no peer group configured.`;
    if (!groups.includes(group)) return `Peer-group "${group}" for listen range "${range}" does not exist!`;
    if (names(bgp, "peer-group", group, "remote-as").length === 0)
      return `Peer-group "${group}" requires remote-as to be set!`;
  }
  for (const neighbour of names(bgp, "neighbor")) {
    const [group] = names(bgp, "neighbor", neighbour, "peer-group");
    if (group !== undefined && !groups.includes(group))
      return `Specified peer-group "${group}" for neighbor "${neighbour}" does not exist!`;
    const remote = [
      ...names(bgp, "neighbor", neighbour, "remote-as"),
      ...names(bgp, "peer-group", group ?? "", "remote-as"),
    ];
    if (remote.length === 0) return `Neighbor "${neighbour}" remote-as must be set!`;
  }
  const maps = names(tree, "policy", "route-map");
  const missing = mapsIn(bgp).find((map) => !maps.includes(map));
  return missing === undefined ? undefined : `route-map "${missing}" does not exist!`;
}

const mapsIn = (bgp: Tree): string[] =>
  [...endsOf(bgp, [])].flatMap((end) => (end.at(-3) === "route-map" ? (end.at(-1) ?? []) : []));

function policyRefusal(tree: Tree): string | undefined {
  const maps = names(tree, "policy", "route-map");
  const bgp = nodeAt(tree, ["protocols", "bgp"]);
  const used = bgp === undefined ? undefined : mapsIn(bgp).find((map) => !maps.includes(map));
  if (used !== undefined) return `Can not delete route-map "${used}", still in use!`;
  for (const map of maps)
    for (const rule of names(tree, "policy", "route-map", map, "rule")) {
      const at = ["policy", "route-map", map, "rule", rule];
      if (names(tree, ...at, "action").length !== 1)
        return `Action must be specified for "route-map" "${map}" rule "${rule}"!`;
      for (const [word, kind] of [
        ["ip", "prefix-list"],
        ["ipv6", "prefix-list6"],
      ] as const)
        for (const list of names(tree, ...at, "match", word, "address", "prefix-list"))
          if (!names(tree, "policy", kind).includes(list)) return `${kind} ${list} does not exist!`;
    }
  return undefined;
}

function balancerRefusal(tree: Tree): string | undefined {
  for (const section of names(tree, "load-balancing")) {
    const at = ["load-balancing", section];
    const [services, backends] = [names(tree, ...at, "service"), names(tree, ...at, "backend")];
    if (services.length === 0 || backends.length === 0) return '"service" and "backend" must be configured!';
  }
  return undefined;
}
