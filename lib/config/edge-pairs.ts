/** The part of the edge's settings that makes two routers one. */
import { z } from "zod";
import { bitsOf, family, lengthOf, networkOf, prefix } from "#lib/address.ts";
import type { PairSpec } from "#lib/edge/router.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, unknownName } from "./complaint.ts";
import type { EdgePair } from "./edge.ts";
import { plainName } from "./edge-services.ts";
import { flag, fullListOf, hostAddress, integer, listOf, name, routerLink, setting } from "./leaves.ts";
import { listAt } from "./overlaps.ts";
import { sameInterfaces, sameNames } from "./twice.ts";
import type { Path } from "./yaml.ts";

const network = z.strictObject(
  {
    interface: setting(routerLink, "Interface of both routers that is on the network."),
    vrid: setting(integer(1, 255), "Number of the virtual router, which nobody else on the network has."),
    addresses: setting(
      fullListOf(hostAddress, "a list of addresses", "address"),
      "Addresses of whichever of the two is the master, with the length of their network.",
    ),
    defaultRouteMetric: setting(
      integer(1, 2_147_483_647).optional(),
      "Nodes on the network have a default route by each of them, with this metric; the smallest counts.",
      "nodes have the routes that their operator gives them",
    ),
  },
  { error: "an object such as {interface: eth1, vrid: 10, addresses: [192.0.2.254/24]}" },
);

export const pair = z.strictObject(
  {
    name: setting(plainName, "Of the pair, after `SELVEDGE-`."),
    routers: setting(
      listOf(name, "a list of two routers").refine((list) => list.length === 2, { error: "a list of two routers" }),
      "Both; the first is the master while it can be.",
    ),
    networks: setting(
      fullListOf(network, "a list of networks", "network"),
      "On all of them the same router is the master.",
    ),
    preempt: setting(flag.default(true), "The first takes over again when it is back."),
    advertiseSeconds: setting(
      integer(1, 255).default(1),
      "How often the master tells that it is there; the other takes over when it was silent for a little more than three times as long.",
    ),
  },
  {
    error:
      "an object such as {name: gate, routers: [edge1, edge2], networks: [{interface: eth1, vrid: 10, addresses: [192.0.2.254/24]}]}",
  },
);

/** What a router has to do with pairs: it belongs to one at most. */
export function pairOf(pairs: readonly EdgePair[], router: string): PairSpec | undefined {
  const found = pairs.find(({ routers }) => routers.includes(router));
  if (found === undefined) return undefined;
  const { routers, networks, ...pair } = found;
  const theirs = networks.map(({ interface: link, vrid, addresses }) => ({ interface: link, vrid, addresses }));
  return { ...pair, networks: theirs, isPreferred: routers[0] === router };
}

export function pairMistakes(edge: unknown, path: Path, routers: readonly string[]): Complaint[] {
  const all = listAt(edge, "pairs");
  const taken: unknown[] = [];
  const mistakes = all.flatMap((each, i) => {
    const at = (...more: Path): Path => [...path, "pairs", i, ...more];
    const networks = listAt(each, "networks");
    return [
      ...listAt(each, "routers").flatMap((router, j) => {
        if (typeof router !== "string") return [];
        const isTaken = taken.includes(router);
        taken.push(router);
        if (!routers.includes(router)) return [unknownName(at("routers", j), "router", router, routers)];
        return isTaken ? [complaint(at("routers", j), `"${router}" is one of a pair already`)] : [];
      }),
      ...sameInterfaces(networks, at("networks"), "network"),
      ...networks.flatMap((one, j) =>
        listAt(one, "addresses").flatMap((address, k) => {
          const found = readable(() => prefix(address));
          const isHost =
            found !== undefined && (networkOf(found) !== found || lengthOf(found) === bitsOf(family(found)));
          return found === undefined || isHost
            ? []
            : [complaint(at("networks", j, "addresses", k), `${found} is a network; say which address of it`)];
        }),
      ),
    ];
  });
  return [...sameNames(all, [...path, "pairs"]), ...mistakes];
}
