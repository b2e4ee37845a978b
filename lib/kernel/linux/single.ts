/** Making links that have no other end: each by one message, or by /dev/net/tun; carriers before what they carry. */
import { SelvedgeError } from "#lib/errors.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { homeNamespace } from "#native/namespace.ts";
import { makeTap } from "#native/tap.ts";
import { isSameNature, isSingle } from "../nature.ts";
import type { ErrorReport } from "../netlink/message.ts";
import { insist } from "../netlink/socket.ts";
import { createLink, deleteLink, groupLink, isCarriedBy, mayAdopt, OWN_GROUP } from "../rtnl/link.ts";
import { lacks } from "./lacks.ts";
import { linkByName } from "./place.ts";
import type { Side } from "./side.ts";
import { errorOf } from "./steps.ts";
import { taken } from "./veth.ts";

interface Wanted {
  readonly near: Side;
  readonly fact: LinkFact;
  /** Where the link is that carries it, or where its outer packets travel. */
  readonly carrier: Side | undefined;
}

/** @throws SelvedgeError kernel, interface-exists, conflict */
export async function makeSingles(host: Side, pod: Side | undefined, nextIndex: () => number): Promise<void> {
  const sideAt = (at: LinkFact["at"]) => (at === "pod" ? pod : host);
  const wanted = (pod === undefined ? [host] : [pod, host]).flatMap((near) =>
    near.ops.flatMap(({ do: verb, fact }): Wanted[] => {
      if (verb !== "add" || fact.type !== "link" || !isSingle(fact.kind)) return [];
      const from = fact.parent?.at ?? fact.underlay;
      return [{ near, fact, carrier: from && sideAt(from) }];
    }),
  );
  for (const each of carriersFirst(wanted)) await makeSingle(each, nextIndex);
}

function carriersFirst(wanted: readonly Wanted[]): Wanted[] {
  const depth = ({ parent }: LinkFact): number => {
    const carrier = wanted.find(({ fact }) => fact.at === parent?.at && fact.name === parent.name)?.fact;
    return carrier === undefined ? 0 : 1 + depth(carrier);
  };
  return wanted.toSorted((a, b) => depth(a.fact) - depth(b.fact));
}

const MAX_TRIES = 4;
/**
 * EINVAL: a macvlan in passthru wants its parent alone, and says so before it looks at names. EOPNOTSUPP: of a kind that
 * the kernel does not have, and a program of ours has made.
 */
const MAY_BE_THERE: readonly number[] = [ERRNO.EEXIST, ERRNO.EBUSY, ERRNO.EINVAL, ERRNO.EOPNOTSUPP];

async function makeSingle(wanted: Wanted, nextIndex: () => number): Promise<void> {
  const { near, fact } = wanted;
  const parent = await carrierOf(wanted);
  let last: ErrorReport | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const index = nextIndex();
    last = await bear(wanted, index, parent);
    // A tap is born with nothing but its name.
    if (last === undefined) return near.known.add(fact.name, index, fact.kind === "tap" ? "there" : "fresh");
    const link = MAY_BE_THERE.includes(last.code) ? await linkByName(near.place, fact.name) : undefined;
    if (link === undefined && (last.code === ERRNO.EEXIST || last.code === ERRNO.EBUSY)) continue;
    if (link === undefined) throw refusal(fact, last);
    if (!mayAdopt(fact, link)) throw taken(fact, link);
    const isSame = isSameNature(fact, link.nature) && isCarriedBy(fact, link, parent);
    if (isSame) return near.known.add(fact.name, link.index, link);
    insist(await near.place.wait([deleteLink(link.index)]), [ERRNO.ENODEV]);
  }
  throw inTheWay(fact, last) ?? refused(`link add ${fact.name}`, ERRNO.EBUSY, "every index that was tried is taken");
}

/** Why the link cannot be, or undefined when the kernel made it. */
async function bear({ near, fact, carrier }: Wanted, index: number, parent: number | undefined) {
  if (fact.kind === "tap") return bearTap(near, fact, index);
  const birthplace = carrier ?? near;
  // A carrier is named by its ifindex, which only its own namespace knows: there the link is asked for, to be born here.
  const netNsFd = birthplace === near ? undefined : (near.place.netns ?? homeNamespace());
  const request = createLink(fact, index, {
    ...(parent === undefined ? {} : { parent }),
    ...(netNsFd === undefined ? {} : { netNsFd }),
  });
  return (await birthplace.place.run([request]))[0]?.error;
}

/** It goes with this process until it carries our mark: a crash leaves nothing. */
async function bearTap({ place }: Side, { name, tap }: LinkFact, index: number): Promise<ErrorReport | undefined> {
  try {
    using made = makeTap(place.netns, { name, index, ...tap });
    insist(await place.run([groupLink(index, OWN_GROUP)]));
    made.keep();
    return undefined;
  } catch (error) {
    return errorOf(error);
  }
}

/** @throws SelvedgeError kernel (ENODEV) */
async function carrierOf({ fact, carrier }: Wanted): Promise<number | undefined> {
  if (fact.parent === undefined || carrier === undefined) return undefined;
  const { name } = fact.parent;
  if (carrier.known.has(name)) return carrier.known.index(name);
  const link = await linkByName(carrier.place, name);
  if (link === undefined) throw refused(`link add ${fact.name}`, ERRNO.ENODEV, `its parent ${name} does not exist`);
  return link.index;
}

function refusal(fact: LinkFact, error: ErrorReport): SelvedgeError {
  if (fact.mode === "passthru" && error.code === ERRNO.EINVAL)
    return conflict(
      `${fact.parent?.name} carries other links: a macvlan in passthru wants it alone`,
      "Choose another parent, or one of the modes bridge, private and vepa.",
    );
  return lacks(fact, error) ?? refused(`link add ${fact.name}`, error.code, error.text);
}

const conflict = (what: string, hint: string): SelvedgeError =>
  new SelvedgeError({ kind: "conflict", what }, what, { hint });

/** What can be there once for each parent, or on each node, has another name or is in another namespace. */
function inTheWay({ kind, vlan, vxlan, parent }: LinkFact, error: ErrorReport | undefined): SelvedgeError | undefined {
  if (vlan !== undefined)
    return conflict(
      `VLAN ${vlan.id} (${vlan.protocol}) is taken on ${parent?.name}: another link has it`,
      "`ip -d link show type vlan` in every namespace shows which one; choose another id or parent.",
    );
  if (vxlan !== undefined)
    return conflict(
      `VXLAN ${vxlan.id} on UDP port ${vxlan.port} is taken: another link has it`,
      "`ip -d link show type vxlan` shows which one; choose another id or port.",
    );
  if (parent === undefined || error?.code !== ERRNO.EBUSY) return undefined;
  return conflict(
    `${parent.name} cannot carry a link of kind ${kind}: something else takes all of its frames`,
    "It is a port of a bridge or of a bond, or carries links of another kind: ipvlan and macvlan exclude each other.",
  );
}
