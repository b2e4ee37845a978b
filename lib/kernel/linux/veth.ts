/** Making a veth pair, or finding that it is there, or clearing away what a crash left of it. */
import { SelvedgeError } from "#lib/errors.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { insist } from "../netlink/socket.ts";
import { createVeth, deleteLink, mayAdopt, type SeenLink } from "../rtnl/link.ts";
import { linkByName, namespaceOf, type Place } from "./place.ts";
import { attempt, type Step, settle } from "./steps.ts";

/** Both ends as they are wanted. `near` is made at the place whose datagram makes the pair, `far` on the host. */
export interface Pair {
  readonly near: LinkFact;
  readonly far: LinkFact;
}

export interface Made {
  readonly near: number;
  readonly far: number;
  /** False when the pair was there already and may have other properties. */
  readonly fresh: boolean;
}

const MAX_TRIES = 4;

/**
 * Makes the pair and performs what `follow` says of its near end, in one datagram.
 * @throws SelvedgeError kernel, interface-exists
 */
export async function makeVeth(
  places: { readonly near: Place; readonly host: Place },
  pair: Pair,
  nextIndex: () => number,
  follow: (near: number, fresh: boolean) => readonly Step[],
): Promise<Made> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const at = { podIndex: nextIndex(), hostIndex: nextIndex(), hostNs: namespaceOf(places.host) };
    const birth: Step = { request: createVeth(pair.near, pair.far, at) };
    const refusals = await attempt(places.near, [birth, ...follow(at.podIndex, true)]);
    const failed = refusals.find(({ step }) => step === birth)?.error;
    if (failed === undefined) {
      await settle(places.near, refusals);
      return { near: at.podIndex, far: at.hostIndex, fresh: true };
    }
    if (failed.code === ERRNO.EEXIST) {
      const there = await inTheWay(places, pair);
      if (there !== undefined) {
        await settle(places.near, await attempt(places.near, follow(there.near, false)));
        return there;
      }
    } else if (failed.code !== ERRNO.EBUSY) throw refused(birth.request.what, failed.code, failed.text);
  }
  throw refused(`link add ${pair.near.name} peer ${pair.far.name}`, ERRNO.EEXIST, "its names stay taken");
}

/** The pair itself, if that is what has the names. Otherwise remains of ours are deleted, and what is not ours refuses. */
async function inTheWay(places: { readonly near: Place; readonly host: Place }, pair: Pair): Promise<Made | undefined> {
  const near = await linkByName(places.near, pair.near.name);
  const far = await linkByName(places.host, pair.far.name);
  if (far !== undefined && !mayAdopt(pair.far, far)) throw taken(pair.far, far);
  if (near !== undefined) {
    const paired = far !== undefined && near.peer === far.index && far.peer === near.index;
    if (!paired) throw taken(pair.near, near);
    return { near: near.index, far: far.index, fresh: false };
  }
  if (far !== undefined) insist(await places.host.run([deleteLink(far.index)]), [ERRNO.ENODEV]);
  return undefined;
}

/** The name belongs to a link that is not ours. */
export const taken = (want: LinkFact, link: Pick<SeenLink, "kind" | "alias">): SelvedgeError =>
  new SelvedgeError(
    { kind: "interface-exists", name: want.name },
    `${want.name}: the ${want.at === "pod" ? "container" : "node"} has a link of this name that is not ours (${link.kind}${link.alias === undefined ? "" : `, alias "${link.alias}"`})`,
  );
