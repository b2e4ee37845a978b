/** Taking away what operations remove, in the reverse order of building. */
import type { Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { insist } from "../netlink/socket.ts";
import { deleteLink, lowerLink, mayAdopt } from "../rtnl/link.ts";
import { type Known, knownLinks } from "./known.ts";
import type { Place } from "./place.ts";
import { isLaid, take } from "./put.ts";
import type { Removal } from "./removal.ts";
import { GONE, perform, type Step } from "./steps.ts";
import { isSwitching, takeSwitching } from "./switching.ts";

/** Things in a pod that is gone (`undefined`) are gone too. @throws SelvedgeError kernel */
export async function applyRemovals(
  places: readonly (Place | undefined)[],
  removal: Removal,
  ops: readonly Op[],
): Promise<void> {
  const facts = ops.flatMap((op) => (op.do === "remove" ? [op.fact] : [])).reverse();
  for (const place of places) {
    const mine = facts.filter((fact) => fact.at === place?.at);
    if (place !== undefined && mine.some((fact) => isLaid(fact) || isSwitching(fact) || fact.type === "link"))
      await takeAway(place, removal, mine);
  }
}

async function takeAway(place: Place, removal: Removal, facts: readonly Fact[]): Promise<void> {
  const known = knownLinks(place);
  await known.learn(facts);
  const dying = facts.filter((fact): fact is LinkFact => fact.type === "link" && isRemovable(fact, known));
  const names = new Set(dying.map((fact) => fact.name));
  const steps: Step[] = [];
  for (const fact of facts) {
    if (isSwitching(fact) && !names.has(fact.link) && known.has(fact.link)) steps.push(takeSwitching(fact, known));
    if (!isLaid(fact)) continue;
    const onDying = "link" in fact && names.has(fact.link);
    // What lies on a link goes with it; but until then the host must not send to the pod any more.
    if (onDying && (place.at === "pod" || (fact.type !== "route" && fact.type !== "neighbour"))) continue;
    if (!("link" in fact) || known.has(fact.link)) steps.push(...take(fact, known.index));
  }
  // A pod's end of a pair goes with the host's. There is nothing to share the wait of others with.
  const alone = place.at === "pod" ? dying.filter(({ peer }) => peer?.at !== "host") : [];
  for (const fact of dying) {
    // The kernel waits for a grace period when a link goes down, and for another when it is deleted: what is deleted at
    // once waits for one.
    if (!alone.includes(fact)) steps.push({ request: lowerLink(fact.name, known.index(fact.name)), tolerate: GONE });
  }
  await perform(place, steps);
  if (alone.length > 0) insist(await place.wait(alone.map(({ name }) => deleteLink(known.index(name)))), GONE);
  if (place.at === "host") for (const { name } of dying) removal.enqueue(name, known.index(name));
}

/** Links that were there before us: a device goes back to the host instead (lent.ts). */
const KEPT: ReadonlySet<LinkFact["kind"]> = new Set(["loopback", "device", "foreign"]);

/** There, of the kind that we make, and not a stranger's. */
function isRemovable(fact: LinkFact, known: Known): boolean {
  const link = known.seen(fact.name);
  return link !== undefined && !KEPT.has(fact.kind) && mayAdopt(fact, link);
}
