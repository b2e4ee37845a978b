/** Queues and filters on links: the steps that make them hold, and what stands of them. */
import { isFailure } from "#lib/errors.ts";
import { oneByOne } from "#lib/slices.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Place as PlaceName } from "#lib/state/place.ts";
import type { TreeFact } from "#lib/state/traffic-fact.ts";
import { ERRNO } from "#native/libc.ts";
import type { Message } from "../netlink/message.ts";
import { addMirror, addRelease, mirrorFact, readMirror, removeMirror } from "../rtnl/mirror.ts";
import {
  addClsact,
  addRedirect,
  dumpFilters,
  type HOOK,
  readClsact,
  readRedirect,
  removeRedirect,
} from "../rtnl/redirect.ts";
import { addShaper, dumpQueues, getShaper, readShaper, removeShaper, shaperFact } from "../rtnl/shaper.ts";
import {
  addTree,
  dumpClasses,
  dumpTreeFilters,
  getLeaf,
  readClass,
  readLeaf,
  readTree,
  readTreeFilter,
  removeTree,
  treeFact,
} from "../rtnl/tree.ts";
import type { Place } from "./place.ts";
import { GONE, type Step } from "./steps.ts";

export type Traffic = Extract<Fact, { type: "shaper" | "tree" | "redirect" | "mirror" }>;

export const isTraffic = (fact: Fact): fact is Traffic =>
  fact.type === "shaper" || fact.type === "tree" || fact.type === "redirect" || fact.type === "mirror";

/** EINVAL and ENOENT: no such queue or filter, or no queue that could hold it. */
const NONE: readonly number[] = [...GONE, ERRNO.EINVAL];

type IndexOf = (name: string) => number;

/** The steps that make the fact hold, whatever stood in its place. @throws SelvedgeError kernel (ENODEV) */
export function putTraffic(fact: Traffic, index: IndexOf): Step[] {
  const at = index(fact.link);
  switch (fact.type) {
    case "shaper":
      return [{ request: addShaper(fact, at) }];
    case "tree":
      return [{ request: removeTree(fact, at), tolerate: NONE }, ...addTree(fact, at).map((request) => ({ request }))];
    case "redirect":
      return addRedirect(fact, at, index(fact.to)).map((request, i) => ({
        request,
        tolerate: i === 0 ? [ERRNO.EEXIST] : i === 1 ? NONE : [],
      }));
    case "mirror":
      return [
        ...takeTraffic(fact, index),
        { request: addClsact(fact.link, at), tolerate: [ERRNO.EEXIST] },
        // Without CONFIG_NET_ACT_TUNNEL_KEY it is copied all the same.
        ...addRelease(fact, at).map((request) => ({ request, tolerate: [ERRNO.ENOENT] })),
        ...addMirror(fact, at, index(fact.to)).map((request) => ({ request })),
      ];
  }
}

/** @throws SelvedgeError kernel (ENODEV) */
export function takeTraffic(fact: Traffic, index: IndexOf): Step[] {
  const at = index(fact.link);
  const requests =
    fact.type === "shaper"
      ? [removeShaper(fact, at)]
      : fact.type === "tree"
        ? [removeTree(fact, at)]
        : fact.type === "redirect"
          ? [removeRedirect(fact, at)]
          : removeMirror(fact, at);
  return requests.map((request) => ({ request, tolerate: NONE }));
}

/** Ifindex of a link that stands; undefined where none does. */
type Present = (name: string) => number | undefined;
/** Name of the link with an ifindex, or words for one that is not known. */
type NameOf = (index: number) => string;

/** What stands at the identities of the facts. @throws SelvedgeError kernel */
export async function lookTraffic(
  place: Place,
  wanted: readonly Traffic[],
  present: Present,
  nameOf: NameOf,
): Promise<Fact[]> {
  const here = wanted.flatMap((want) => {
    const index = present(want.link);
    return index === undefined ? [] : [{ want, index }];
  });
  const queues = here.filter(({ want }) => want.type === "shaper" || want.type === "tree");
  const replies = await place.run(queues.map(({ index }) => getShaper(index)));
  const found: Fact[] = [];
  for (const [i, { want, index }] of queues.entries())
    found.push(...(await rootQueue(place, want, index, replies[i]?.messages ?? [])));
  for (const { want, index } of here) {
    if (want.type !== "redirect" && want.type !== "mirror") continue;
    const hook = want.hook ?? "ingress";
    const seen = filtersOf(place, index, hook);
    if (want.type === "mirror") {
      const mirrors = seen.flatMap((message) => readMirror(message, hook) ?? []);
      found.push(...some(mirrorFact(mirrors, nameOf, want)));
    } else {
      const redirect = seen.map((message) => readRedirect(message, hook)).find((each) => each !== undefined);
      if (redirect !== undefined) found.push({ ...want, to: nameOf(redirect.to) });
    }
  }
  return found;
}

const some = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);

/** The token bucket or the tree that is the root queue of a link; neither for a queue of somebody else's. */
async function rootQueue(place: Place, want: Traffic, index: number, messages: readonly Message[]): Promise<Fact[]> {
  const shaper = messages.map(readShaper).find((each) => each !== undefined);
  if (shaper !== undefined) return [shaperFact(shaper, want.at, want.link, want.type === "shaper" ? want : undefined)];
  if (!messages.some((message) => readTree(message) !== undefined)) return [];
  return some(await seenTree(place, index, want.at, want.link, want.type === "tree" ? want : undefined));
}

async function seenTree(
  place: Place,
  index: number,
  at: PlaceName,
  link: string,
  want: TreeFact | undefined,
): Promise<TreeFact | undefined> {
  const classes = place.dump(dumpClasses(index)).flatMap((message) => readClass(message) ?? []);
  const filters = listed(() => place.dump(dumpTreeFilters(index))).flatMap((message) => readTreeFilter(message) ?? []);
  const ids = classes.flatMap(({ id }) => (id === 1 ? [] : [id]));
  const leaves = await place.run(ids.map((id) => getLeaf(index, id)));
  const limits = ids.flatMap((id, i): [number, number][] => {
    const limit = leaves[i]?.messages.map(readLeaf).find((each) => each !== undefined);
    return limit === undefined ? [] : [[id, limit]];
  });
  const matches = new Map(filters.map(({ id, match }) => [id, match]));
  return treeFact({ classes, matches, limits: new Map(limits) }, at, link, want);
}

/** Every filter on one half of clsact; none where there is no clsact. @throws SelvedgeError kernel */
const filtersOf = (place: Place, index: number, hook: keyof typeof HOOK): Message[] =>
  listed(() => place.dump(dumpFilters(index, hook)));

function listed(dump: () => Message[]): Message[] {
  try {
    return dump();
  } catch (error) {
    if (isFailure(error, "kernel") && NONE.includes(error.failure.errno)) return [];
    throw error;
  }
}

/** Links whose filters are listed before others have their turn. */
const AT_ONCE = 32;

/**
 * Everything of ours on links of ours; only a pod's link has filters. Each queue of the node is read once, however many
 * links there are: a node has some ten thousand.
 * @throws SelvedgeError kernel
 */
export async function ownTraffic(host: Place, links: readonly OwnLink[], nameOf: NameOf): Promise<Fact[]> {
  const queues = host.dump(dumpQueues);
  const shapers = new Map(queues.flatMap((message) => readShaper(message) ?? []).map((seen) => [seen.index, seen]));
  const trees = new Set(queues.flatMap((message) => readTree(message) ?? []));
  const filtered = new Set(queues.flatMap((message) => readClsact(message) ?? []));
  const found: Fact[] = [];
  for await (const link of oneByOne(links, AT_ONCE)) {
    const { index, name, kind } = link;
    const shaper = shapers.get(index);
    if (shaper !== undefined) found.push(shaperFact(shaper, "host", name));
    if (trees.has(index)) found.push(...some(await seenTree(host, index, "host", name, undefined)));
    if (kind === "veth" && filtered.has(index)) found.push(...ownFilters(host, link, nameOf));
  }
  return found;
}

interface OwnLink {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
}

function ownFilters(host: Place, { index, name: link }: OwnLink, nameOf: NameOf): Fact[] {
  return (["ingress", "egress"] as const).flatMap((hook): Fact[] => {
    const messages = filtersOf(host, index, hook);
    const redirect = messages.map((message) => readRedirect(message, hook)).find((each) => each !== undefined);
    const mirrors = messages.flatMap((message) => readMirror(message, hook) ?? []);
    const slots = [...new Set(mirrors.map(({ slot }) => slot))];
    return [
      ...some(redirect).map(
        ({ to }): Fact => ({
          type: "redirect",
          at: "host",
          link,
          to: nameOf(to),
          ...(hook === "egress" ? { hook } : {}),
        }),
      ),
      ...slots.flatMap((slot) => some(mirrorFact(mirrors, nameOf, { at: "host", link, hook, slot }))),
    ];
  });
}
