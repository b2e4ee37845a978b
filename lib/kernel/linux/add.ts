/**
 * Building what operations add or change: links without another end, then the pod's side in one datagram with the
 * birth of its link, then the host's side in another.
 */
import type { Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { ERRNO } from "#native/libc.ts";
import type { Request } from "../netlink/message.ts";
import { type Had, lowerLink, mayAdopt, prepareLink, raiseLink } from "../rtnl/link.ts";
import { announceAddresses } from "./announce.ts";
import { type Known, knownLinks } from "./known.ts";
import { isLent, lend } from "./lent.ts";
import type { Place } from "./place.ts";
import { isLaid, put } from "./put.ts";
import { claim } from "./representors.ts";
import type { Side } from "./side.ts";
import { makeSingles } from "./single.ts";
import { perform, type Step } from "./steps.ts";
import { isSwitching, joinWithVlans, putSwitching } from "./switching.ts";
import { writeSysctls } from "./sysctl.ts";
import { makeVeth, type Pair, taken } from "./veth.ts";

/** The parts of an `apply`, in order: between any two a crash leaves something half made. */
export type Part = "taken-away" | "nftables" | "devices" | "pair" | "pod-side" | "host-side";

/** `pod` is absent when no operation speaks of one. @throws SelvedgeError kernel, interface-exists */
export async function applyAdditions(
  places: { readonly host: Place; readonly pod: Place | undefined },
  nextIndex: () => number,
  ops: readonly Op[],
  onPart: (part: Part) => void = () => {},
): Promise<void> {
  const side = (place: Place): Side => ({
    place,
    ops: ops.filter((op) => op.do !== "remove" && op.fact.at === place.at),
    known: knownLinks(place),
  });
  const host = side(places.host);
  const pod = places.pod === undefined ? undefined : side(places.pod);
  writeSysctls(host.place, host.ops);
  await makeSingles(host, pod, nextIndex);
  await raiseCarriers(host, pod);
  for (const each of pod === undefined ? [host] : [pod, host]) await takeDevices(host.place, each);
  onPart("devices");
  const pairs = pairsOf([...(pod?.ops ?? []), ...host.ops]);
  // Everything in the pod travels with the birth of the last of its links that is made: then it has all of them.
  const last = pod === undefined ? undefined : pairs.findLast(({ near }) => near.at === "pod");
  for (const pair of pairs) {
    const near = pair.near.at === "pod" && pod !== undefined ? pod : host;
    await makePair(near, host, pair, nextIndex, pair === last);
    onPart("pair");
  }
  for (const each of pod === undefined || last !== undefined ? [host] : [pod, host]) {
    await each.known.learn(each.ops.map((op) => op.fact));
    await perform(each.place, stepsOf(each));
    onPart(`${each.place.at}-side`);
  }
  if (pod !== undefined) writeSysctls(pod.place, pod.ops);
  for (const each of pod === undefined ? [host] : [pod, host])
    announceAddresses(
      each.place,
      each.ops.map((op) => op.fact),
      each.known,
    );
}

/** A VLAN link goes up only when the one that carries it is up (net/8021q/vlan_dev.c, vlan_dev_open). */
async function raiseCarriers(host: Side, pod: Side | undefined): Promise<void> {
  const parents = [...(pod?.ops ?? []), ...host.ops].flatMap(({ fact }) =>
    fact.type === "link" && fact.parent?.at === "host" ? [fact.parent.name] : [],
  );
  const carriers = host.ops.filter(({ fact }) => fact.type === "link" && parents.includes(fact.name));
  if (carriers.length === 0) return;
  await host.known.learn(carriers.map(({ fact }) => fact));
  await perform(host.place, stepsOf({ ...host, ops: carriers }));
}

async function makePair(near: Side, host: Side, pair: Pair, nextIndex: () => number, travels: boolean): Promise<void> {
  const others = near.ops.map((op) => op.fact).filter((fact) => !speaksOf(fact, pair.near.name));
  if (travels) await near.known.learn(others);
  const places = { near: near.place, host: host.place };
  const made = await makeVeth(places, pair, nextIndex, (index, isFresh) => {
    near.known.add(pair.near.name, index, isFresh ? "fresh" : "there");
    return travels ? stepsOf(near) : [];
  });
  const how = made.fresh ? "fresh" : "there";
  near.known.add(pair.near.name, made.near, how);
  host.known.add(pair.far.name, made.far, how);
}

const speaksOf = (fact: Fact, link: string): boolean =>
  fact.type === "link" ? fact.name === link : "link" in fact && fact.link === link;

/** Pairs of which an end is to be made; the end in the pod, if one is there, is the near one. */
function pairsOf(ops: readonly Op[]): Pair[] {
  const links = ops.flatMap(({ do: verb, fact }) => (fact.type === "link" ? [{ verb, fact }] : []));
  const pairs = new Map<string, Pair>();
  for (const { verb, fact } of links) {
    if (verb !== "add" || fact.kind !== "veth" || fact.peer === undefined) continue;
    const { at, name } = fact.peer;
    const other = links.find((link) => link.fact.at === at && link.fact.name === name)?.fact;
    const peer: LinkFact = other ?? { type: "link", at, name, kind: "veth", up: true };
    const [near, far] = at === "pod" ? [peer, fact] : [fact, peer];
    pairs.set([`${near.at} ${near.name}`, `${far.at} ${far.name}`].sort().join(), { near, far });
  }
  return [...pairs.values()];
}

/** Devices of the host that are to be the pod's, or serve it on the host. They may be there, with other properties. */
async function takeDevices(host: Place, { place, ops, known }: Side): Promise<void> {
  for (const { do: verb, fact } of ops)
    if (verb === "add" && isLent(fact))
      known.add(fact.name, place.at === "pod" ? await lend(host, place, fact) : await claim(host, fact), "there");
}

/** Neighbours and queues stand before their link goes up, addresses and routes after. */
const RANK = { neighbour: 1, shaper: 2, tree: 2, redirect: 3, mirror: 3, address: 5, rule: 6, route: 7 } as const;
const RANK_SWITCHING = 3;
const RANK_RAISE = 4;
/** Behind a port is something when it is one. */
const RANK_BEHIND = 4.5;

function stepsOf({ place, ops, known }: Side): Step[] {
  const ranked: (readonly [rank: number, steps: Step[]])[] = [];
  for (const op of ops) {
    const { fact } = op;
    if (isLaid(fact)) ranked.push([RANK[fact.type], put(place, fact, known.index, op.do === "change")]);
    if (isSwitching(fact)) {
      const rank = fact.type === "port-mac" ? RANK_BEHIND : RANK_SWITCHING;
      ranked.push([rank, [putSwitching(fact, known, ops)]]);
    }
    if (fact.type !== "link") continue;
    refuseStranger(op, known);
    const index = known.index(fact.name);
    const was = op.do === "change" && op.was.type === "link" ? op.was : undefined;
    const master = fact.master === undefined ? undefined : known.index(fact.master);
    const requests = prepareLink(fact, index, { fresh: known.isFresh(fact.name), was: was ?? seenAs(fact, known) });
    ranked.push([0, requests.map((request) => (isLent(fact) ? evenIfUp(fact, index, request) : { request }))]);
    if (op.do === "add" || was?.master !== fact.master) ranked.push([0, joinWithVlans(fact, index, known, ops)]);
    if (!isBornUp(fact, known))
      ranked.push([RANK_RAISE, raiseLink(fact, index, master).map((request) => ({ request }))]);
  }
  return ranked.sort(([a], [b]) => a - b).flatMap(([, steps]) => steps);
}

/** What several attachments want is there when the second one adds it. */
function seenAs({ name }: LinkFact, known: Known): Had | undefined {
  const link = known.seen(name);
  return link && { mtu: link.mtu, mac: link.mac };
}

/** Most hardware takes another MAC address only while it is down (net/ethernet/eth.c, eth_prepare_mac_addr_change). */
function evenIfUp(fact: LinkFact, index: number, request: Request): Step {
  const lower = lowerLink(fact.name, index);
  const steps = () => [lower, request, ...raiseLink(fact, index, undefined)].map((each) => ({ request: each }));
  return { request, otherwise: { errno: ERRNO.EBUSY, steps } };
}

/** The near end of a new pair is up from the beginning. */
const isBornUp = (fact: LinkFact, known: Known): boolean =>
  fact.at === "pod" &&
  known.isFresh(fact.name) &&
  fact.kind === "veth" &&
  fact.up &&
  fact.noIpv6LinkLocal === undefined &&
  fact.master === undefined &&
  fact.promiscuous !== true;

/** @throws SelvedgeError interface-exists */
function refuseStranger(op: Op, known: Known): void {
  if (op.fact.type !== "link") return;
  const link = known.seen(op.fact.name);
  const otherPeer =
    op.do === "change" && op.was.type === "link" && op.fact.peer !== undefined && op.was.peer === undefined;
  if (link !== undefined && (otherPeer || !mayAdopt(op.fact, link))) throw taken(op.fact, link);
}
