/** What policies ask of peers. */
import { blockKey } from "./blocks.ts";
import type { Block, Policy, Who } from "./objects.ts";
import { isEverybody, namesIn, whoKey } from "./program.ts";

/** Choices of pods, blocks, and names of the ports of those that are sent to. */
export interface About {
  readonly whos: ReadonlyMap<string, Who>;
  readonly blocks: ReadonlyMap<string, Block>;
  readonly names: ReadonlySet<string>;
}

/** Policies are values that are replaced, never changed. */
const known = new WeakMap<Policy, About>();

function aboutOne(policy: Policy): About {
  const found = known.get(policy);
  if (found !== undefined) return found;
  const { ingress = [], egress = [] } = policy.rules;
  const peers = [...ingress, ...egress].flatMap((rule) => rule.peers ?? []);
  const made: About = {
    whos: new Map(
      peers.flatMap((peer) => (peer.kind === "pods" && !isEverybody(peer.who) ? [[whoKey(peer.who), peer.who]] : [])),
    ),
    blocks: new Map(peers.flatMap((peer) => (peer.kind === "block" ? [[blockKey(peer.block), peer.block]] : []))),
    names: new Set(namesIn(egress)),
  };
  known.set(policy, made);
  return made;
}

export function aboutOf(policies: readonly Policy[]): About {
  const all = { whos: new Map<string, Who>(), blocks: new Map<string, Block>(), names: new Set<string>() };
  for (const policy of policies) {
    const { whos, blocks, names } = aboutOne(policy);
    for (const [key, who] of whos) all.whos.set(key, who);
    for (const [key, block] of blocks) all.blocks.set(key, block);
    for (const name of names) all.names.add(name);
  }
  return all;
}
