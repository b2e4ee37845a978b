/** VLANs of bridge ports, what is behind them, and forwarding entries: made, taken away and looked at. */
import { isFailure } from "#lib/errors.ts";
import type { Op } from "#lib/state/diff.ts";
import {
  EVERYONE_ELSE,
  type Fact,
  type ForwardFact,
  type LinkFact,
  type PortMacFact,
  type PortVlanFact,
} from "#lib/state/fact.ts";
import { ERRNO } from "#native/libc.ts";
import { addForward, dumpForwards, getForward, readForward, removeForward } from "../rtnl/forward.ts";
import { isOurs, joinMaster, type SeenLink } from "../rtnl/link.ts";
import { addPortMac, getPortMac, portOf, readPortMac, removePortMac } from "../rtnl/port-mac.ts";
import { addPortVlan, dumpPortVlans, readPortVlans, removePortVlan } from "../rtnl/port-vlan.ts";
import type { Known } from "./known.ts";
import type { Place } from "./place.ts";
import { GONE, type Step } from "./steps.ts";

export type Switching = PortVlanFact | ForwardFact | PortMacFact;

export const isSwitching = (fact: Fact): fact is Switching =>
  fact.type === "port-vlan" || fact.type === "forward" || fact.type === "port-mac";

/** A bridge that is being made is known by its operation alone. */
const isBridge = (name: string, known: Known, ops: readonly Op[]): boolean =>
  known.seen(name)?.kind === "bridge" ||
  ops.some(({ fact }) => fact.type === "link" && fact.kind === "bridge" && fact.name === name);

export function putSwitching(fact: Switching, known: Known, ops: readonly Op[]): Step {
  const index = known.index(fact.link);
  if (fact.type === "forward") return { request: addForward(fact, index), tolerate: [ERRNO.EEXIST] };
  if (fact.type === "port-mac") return { request: addPortMac(fact, index) };
  return { request: addPortVlan(fact, { index, isBridge: isBridge(fact.link, known, ops) }) };
}

export function takeSwitching(fact: Switching, known: Known): Step {
  const index = known.index(fact.link);
  if (fact.type === "forward") return { request: removeForward(fact, index), tolerate: GONE };
  // A port that left its bridge has nothing behind it.
  if (fact.type === "port-mac")
    return { request: removePortMac(fact, index), tolerate: [...GONE, ERRNO.EINVAL, ERRNO.EOPNOTSUPP] };
  const holder = { index, isBridge: isBridge(fact.link, known, []) };
  // A port that left its bridge has lost its VLANs with it.
  const tolerate = [...GONE, ERRNO.EINVAL, ERRNO.EOPNOTSUPP];
  return { request: removePortVlan(fact.vid, fact.link, holder), tolerate };
}

/** IFLA_BR_VLAN_DEFAULT_PVID of a bridge that was never told another. */
const DEFAULT_PVID = 1;

/**
 * A port that has VLANs joins its bridge before it goes up, and leaves the VLAN that the bridge gave it by itself: no
 * frame may pass on any other than its own.
 */
export function joinWithVlans(fact: LinkFact, index: number, known: Known, ops: readonly Op[]): Step[] {
  const vlans = ops.flatMap((op) => (op.fact.type === "port-vlan" && op.fact.link === fact.name ? [op.fact.vid] : []));
  if (fact.master === undefined || vlans.length === 0) return [];
  const join = { request: joinMaster(fact.name, index, known.index(fact.master)) };
  const given = known.seen(fact.master)?.nature.defaultPvid ?? DEFAULT_PVID;
  if (given === 0 || vlans.includes(given)) return [join];
  return [join, { request: removePortVlan(given, fact.name, { index, isBridge: false }), tolerate: GONE }];
}

/**
 * The wanted ones that are there and, on an attachment's own port, those that are there and not wanted: on any VLAN too
 * many it would hear and reach a network that is not its own.
 */
export function lookPortVlans(
  place: Place,
  wanted: readonly PortVlanFact[],
  links: ReadonlyMap<string, SeenLink>,
): PortVlanFact[] {
  return [...new Set(wanted.map(({ link }) => link))].flatMap((name) => {
    const link = links.get(name);
    if (link === undefined) return [];
    const vids = new Set(wanted.flatMap((want) => (want.link === name ? [want.vid] : [])));
    const isOwnPort = isOurs(link) && (link.kind === "veth" || link.kind === "tap");
    return portVlansOf(place, link).filter(({ vid }) => isOwnPort || vids.has(vid));
  });
}

/** Neither a bridge nor a port; gone meanwhile; a kernel without VLAN filtering of bridges. */
const HAS_NONE: readonly number[] = [ERRNO.EINVAL, ERRNO.ENODEV, ERRNO.EOPNOTSUPP];

export function portVlansOf(place: Place, { index, name }: SeenLink): PortVlanFact[] {
  try {
    return place.dump(dumpPortVlans(index)).flatMap((message) => readPortVlans(message, place.at, name));
  } catch (error) {
    if (isFailure(error, "kernel") && HAS_NONE.includes(error.failure.errno)) return [];
    throw error;
  }
}

/** From here on one list of a device's entries takes less than asking for each. */
const MANY = 1_024;

export async function lookForwards(
  place: Place,
  wanted: readonly ForwardFact[],
  links: ReadonlyMap<string, SeenLink>,
): Promise<ForwardFact[]> {
  const found: ForwardFact[] = [];
  for (const name of new Set(wanted.map(({ link }) => link))) {
    const link = links.get(name);
    if (link === undefined) continue;
    const mine = wanted.filter((want) => want.link === name);
    const isFew = mine.length < MANY && mine.every(({ mac }) => mac !== EVERYONE_ELSE);
    const seen = isFew ? await askedForwards(place, mine, link) : forwardsOf(place, link);
    const there = new Set(seen.map(({ mac, to }) => `${mac} ${to}`));
    found.push(...mine.filter(({ mac, to }) => there.has(`${mac} ${to}`)));
  }
  return found;
}

/** Of MAC addresses that have one destination. */
async function askedForwards(
  place: Place,
  wanted: readonly ForwardFact[],
  { index, name }: SeenLink,
): Promise<ForwardFact[]> {
  const replies = await place.run(wanted.map((want) => getForward(want, index)));
  return replies.flatMap(({ messages }) => messages.flatMap((message) => readForward(message, place.at, name) ?? []));
}

export const forwardsOf = (place: Place, { index, name }: SeenLink): ForwardFact[] =>
  place.dump(dumpForwards(index)).flatMap((message) => readForward(message, place.at, name) ?? []);

export async function lookPortMacs(
  place: Place,
  wanted: readonly PortMacFact[],
  links: ReadonlyMap<string, SeenLink>,
): Promise<PortMacFact[]> {
  const found: PortMacFact[] = [];
  for (const name of new Set(wanted.map(({ link }) => link))) {
    const link = links.get(name);
    if (link === undefined) continue;
    const mine = wanted.filter((want) => want.link === name);
    const there = new Set(mine.length < MANY ? await askedMacs(place, mine, link) : macsOf(place, link));
    found.push(...mine.filter(({ mac }) => there.has(mac)));
  }
  return found;
}

async function askedMacs(place: Place, wanted: readonly PortMacFact[], { index, name }: SeenLink): Promise<string[]> {
  const replies = await place.run(wanted.map((want) => getPortMac(want, index)));
  return replies.flatMap(({ messages }) =>
    messages.flatMap((message) => (portOf(message) === index ? (readPortMac(message, place.at, name)?.mac ?? []) : [])),
  );
}

const macsOf = (place: Place, link: SeenLink): string[] => portMacsOf(place, link).map(({ mac }) => mac);

/** A list of a port's entries has the bridge's, too. */
export const portMacsOf = (place: Place, { index, name }: SeenLink): PortMacFact[] =>
  place.dump(dumpForwards(index)).flatMap((message) => readPortMac(message, place.at, name) ?? []);
