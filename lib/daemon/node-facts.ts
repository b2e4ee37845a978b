/** What the node needs as a whole, from its configuration and from what is attached. */
import { networkOf, type Prefix } from "#lib/address.ts";
import { nodeFacts as factsOfNode } from "#lib/datapath/node.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Core } from "./core.ts";

/** Every pool's subnets and what the operator adds: destinations that see pods under their own address. */
const noMasquerade = (core: Core): Prefix[] =>
  [...new Set([...core.config.noMasquerade.map(networkOf), ...core.ipam.subnets()])].sort();

export const nodeFacts = (core: Core): Fact[] =>
  factsOfNode({ noMasquerade: noMasquerade(core), routerAdvertisedLinks: core.config.routerAdvertisedLinks });

/** What is missing of it now. @throws SelvedgeError kernel */
export async function nodeLacks(core: Core): Promise<Op[]> {
  const facts = nodeFacts(core);
  return lacking(facts, await core.kernel.look({}, facts));
}

/** Makes the node's tables and switches, if the pools have changed since this was done last. @throws SelvedgeError kernel */
export async function makeNodeReady(core: Core): Promise<void> {
  const wanted = noMasquerade(core).join(" ");
  if (wanted === core.tablesFor) return;
  await core.kernel.apply({}, await nodeLacks(core));
  core.tablesFor = wanted;
}
