/**
 * What stands at the identities of given facts, asked by exact key: the cost grows with the facts, not with the node.
 */

import { family } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { Fact, LinkFact, NeighbourFact } from "#lib/state/fact.ts";
import type { Place as PlaceName } from "#lib/state/place.ts";
import { readSysctl } from "#native/namespace.ts";
import { isSameNature, isSingle, madeAnew, natureFacts } from "../nature.ts";
import { dumpAddresses, readAddress } from "../rtnl/address.ts";
import { AF } from "../rtnl/family.ts";
import { getLink, isCarriedBy, isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { dumpNeighbours, getNeighbour, readNeighbour } from "../rtnl/neighbour.ts";
import { dumpRules, readRule } from "../rtnl/rule.ts";
import { lookFunctions } from "./functions.ts";
import { lookRoutes } from "./look-routes.ts";
import { linksByName, type Place } from "./place.ts";
import { lookForwards, lookPortMacs, lookPortVlans } from "./switching.ts";
import { isTraffic, lookTraffic } from "./traffic.ts";

type Links = ReadonlyMap<string, SeenLink>;
type Places = Readonly<Partial<Record<PlaceName, Place>>>;
type Of<T extends Fact["type"]> = Extract<Fact, { type: T }>;

/** Facts of rtnetlink and sysctl; others are not looked at. @throws SelvedgeError kernel */
export async function lookAround(places: Places, facts: readonly Fact[]): Promise<Fact[]> {
  const every = { host: await linksIn(places.host, facts), pod: await linksIn(places.pod, facts) };
  const anew = madeAnew(
    facts.filter((fact) => fact.type === "link"),
    (want) => isRemains(want, every),
  );
  const found: Fact[] = [];
  for (const at of ["host", "pod"] as const) {
    const place = places[at];
    if (place === undefined) continue;
    const mine = facts.filter((fact) => fact.at === at);
    const links = new Map([...every[at]].filter(([name]) => !anew.has(`${at} ${name}`)));
    found.push(...(await lookIn(place, mine, links, every)));
  }
  return found;
}

/** Every link that the facts speak of. */
async function linksIn(place: Place | undefined, facts: readonly Fact[]): Promise<Map<string, SeenLink>> {
  if (place === undefined) return new Map();
  const names = new Set(facts.flatMap((fact) => namesOf(fact, place.at)));
  return linksByName(place, names);
}

function namesOf(fact: Fact, at: PlaceName): string[] {
  const names: string[] = [];
  if (fact.type === "link") {
    if (fact.peer?.at === at) names.push(fact.peer.name);
    if (fact.parent?.at === at) names.push(fact.parent.name);
    if (fact.at === at) names.push(fact.name, ...(fact.master === undefined ? [] : [fact.master]));
  } else if (fact.at === at && "link" in fact)
    names.push(fact.link, ...(fact.type === "redirect" || fact.type === "mirror" ? [fact.to] : []));
  return names;
}

async function lookIn(
  place: Place,
  facts: readonly Fact[],
  links: Links,
  all: Record<PlaceName, Links>,
): Promise<Fact[]> {
  const of = <T extends Fact["type"]>(type: T) => facts.filter((fact): fact is Of<T> => fact.type === type);
  return [
    ...(await lookLinks(place, of("link"), links, all)),
    ...lookAddresses(place, of("address"), links),
    ...(await lookRoutes(place, of("route"), links)),
    ...(await lookNeighbours(place, of("neighbour"), links)),
    ...lookRules(place, of("rule")),
    ...of("sysctl").flatMap((want) => lookSysctl(place, want)),
    ...lookPortVlans(place, of("port-vlan"), withoutMoved(of("link"), links)),
    ...(await lookForwards(place, of("forward"), links)),
    ...(await lookPortMacs(place, of("port-mac"), withoutMoved(of("link"), links))),
    ...(await lookFunctions(place, of("vf"))),
    ...(await lookTraffic(
      place,
      facts.filter(isTraffic),
      (name) => links.get(name)?.index,
      (index) => [...links.values()].find((link) => link.index === index)?.name ?? `index ${index}`,
    )),
  ];
}

/** A port of another bridge than the wanted one is on that one's VLANs, and loses them and what is behind it when it moves. */
function withoutMoved(wanted: readonly LinkFact[], links: Links): Links {
  const moved = wanted.filter(
    ({ name, master }) => master !== undefined && links.get(name)?.master !== links.get(master)?.index,
  );
  const names = new Set(moved.map(({ name }) => name));
  return new Map([...links].filter(([name]) => !names.has(name)));
}

/** Whether a veth's other end is the one that is wanted. */
function isPaired(want: LinkFact, link: SeenLink, all: Record<PlaceName, Links>): boolean {
  if (want.peer === undefined) return true;
  const other = all[want.peer.at].get(want.peer.name);
  return other !== undefined && other.peer === link.index && link.peer === other.index;
}

/** The link that carries it is the wanted one. */
function isOnParent(want: LinkFact, link: SeenLink, all: Record<PlaceName, Links>): boolean {
  const parent = want.parent && all[want.parent.at].get(want.parent.name);
  return want.parent === undefined || (parent !== undefined && isCarriedBy(want, link, parent.index));
}

/**
 * A link of ours that cannot become the wanted one counts as absent: a pair whose other end is elsewhere, left by a
 * container that had the same name; a link on another parent, or with another VLAN.
 */
function isRemains(want: LinkFact, all: Record<PlaceName, Links>): boolean {
  const link = all[want.at].get(want.name);
  if (link === undefined || !isOurs(link)) return false;
  if (!isPaired(want, link, all)) return true;
  return link.kind === want.kind && !(isSameNature(want, link.nature) && isOnParent(want, link, all));
}

async function lookLinks(
  place: Place,
  wanted: readonly LinkFact[],
  links: Links,
  all: Record<PlaceName, Links>,
): Promise<Fact[]> {
  const names = new Map([...links.values()].map((link) => [link.index, link.name]));
  const masters = wanted.flatMap(({ name }) => links.get(name)?.master ?? []).filter((index) => !names.has(index));
  for (const { messages } of await place.run(masters.map(getLink)))
    for (const link of messages.map(readLink)) names.set(link.index, link.name);
  return wanted.flatMap((want) => {
    const link = links.get(want.name);
    if (link === undefined) return [];
    const master = link.master === undefined ? undefined : names.get(link.master);
    const peer = isPaired(want, link, all) ? want.peer : undefined;
    const parent = isOnParent(want, link, all) ? want.parent : undefined;
    return [
      linkFact(
        link,
        want.at,
        {
          ...(master === undefined ? {} : { master }),
          ...(peer === undefined ? {} : { peer }),
          ...(parent === undefined ? {} : { parent }),
        },
        want,
      ),
    ];
  });
}

const isKnown = (kind: string): kind is LinkFact["kind"] => isSingle(kind) || kind === "veth" || kind === "loopback";

/** What it is to us: a device is one by whom it is lent to, whatever its driver. */
function kindOf(link: SeenLink, want: LinkFact | undefined): LinkFact["kind"] {
  if (want?.kind === "device") return link.alias === want.alias ? "device" : "foreign";
  return isKnown(link.kind) && want?.kind !== "foreign" ? link.kind : "foreign";
}

/** `relations` are what a link's own message tells by number only. */
export function linkFact(
  link: SeenLink,
  at: PlaceName,
  relations: Pick<LinkFact, "master" | "peer" | "parent">,
  want?: LinkFact,
): LinkFact {
  const kind = kindOf(link, want);
  const { mac, alias, hairpin, quiet, noIpv6LinkLocal, routeLocalnet } = link;
  return {
    type: "link",
    at,
    name: link.name,
    kind,
    up: link.up,
    mtu: link.mtu,
    promiscuous: link.promiscuous,
    ...relations,
    ...natureFacts(link.nature, want),
    ...(mac === undefined ? {} : { mac }),
    ...(alias === undefined ? {} : { alias }),
    ...(hairpin === undefined ? {} : { hairpin }),
    ...(quiet === undefined ? {} : { quiet }),
    ...(noIpv6LinkLocal === undefined ? {} : { noIpv6LinkLocal }),
    ...(routeLocalnet === undefined ? {} : { routeLocalnet }),
  };
}

function lookAddresses(place: Place, wanted: readonly Of<"address">[], links: Links): Fact[] {
  const seen = new Map<string, ReturnType<typeof readAddress>[]>();
  return wanted.flatMap((want) => {
    const link = links.get(want.link);
    if (link === undefined) return [];
    const af = AF[family(want.address)];
    const key = `${link.index} ${af}`;
    const there = seen.get(key) ?? place.dump(dumpAddresses(af, link.index)).map(readAddress);
    seen.set(key, there);
    const match = there.find((found) => found?.address === want.address && found.index === link.index);
    return match === undefined ? [] : [{ ...want, noPrefixRoute: match.noPrefixRoute }];
  });
}

/** From here on one list of all neighbours takes less than asking for each. */
const MANY_NEIGHBOURS = 1_024;

async function lookNeighbours(place: Place, wanted: readonly NeighbourFact[], links: Links): Promise<Fact[]> {
  const present = wanted.flatMap((want) => {
    const link = links.get(want.link);
    return link === undefined ? [] : [{ want, link }];
  });
  if (present.length >= MANY_NEIGHBOURS) {
    const all = place.dump(dumpNeighbours).flatMap((message) => readNeighbour(message) ?? []);
    const macs = new Map(all.map(({ index, address, mac }) => [`${index} ${address}`, mac]));
    return present.flatMap(({ want, link }) => {
      const mac = macs.get(`${link.index} ${want.address}`);
      return mac === undefined ? [] : [{ ...want, mac }];
    });
  }
  const replies = await place.run(present.map(({ want, link }) => getNeighbour(want, link.index)));
  return present.flatMap(({ want }, i) => {
    const seen = replies[i]?.messages.map(readNeighbour).find((neighbour) => neighbour !== undefined);
    return seen === undefined ? [] : [{ ...want, mac: seen.mac }];
  });
}

function lookRules(place: Place, wanted: readonly Of<"rule">[]): Fact[] {
  const families = new Set(wanted.map((want) => want.family));
  const rules = [...families].flatMap((of) =>
    place.dump(dumpRules(of)).flatMap((message) => readRule(message, place.at) ?? []),
  );
  return wanted.filter((want) =>
    rules.some(
      (rule) =>
        rule.family === want.family &&
        rule.priority === want.priority &&
        rule.table === want.table &&
        rule.from === want.from &&
        rule.iif === want.iif &&
        rule.mark?.value === want.mark?.value &&
        rule.mark?.mask === want.mark?.mask,
    ),
  );
}

function lookSysctl(place: Place, want: Of<"sysctl">): Fact[] {
  try {
    return [{ ...want, value: readSysctl(place.netns, want.key) }];
  } catch (error) {
    if (isFailure(error, "kernel") && error.failure.errno === 2) return [];
    throw error;
  }
}
