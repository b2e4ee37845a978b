/** What a host needs as a whole, from the configuration and from what is attached. */
import { networkOf, type Prefix } from "#lib/address.ts";
import { nodeFacts as factsOfNode } from "#lib/datapath/node.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Core } from "./core.ts";
import type { Host } from "./host.ts";

/** Every pool's subnets and what the operator adds: destinations that see pods under their own address. */
const noMasquerade = (core: Core): Prefix[] =>
  [...new Set([...core.config.noMasquerade.map(networkOf), ...core.ipam.subnets()])].sort();

export const nodeFacts = (core: Core, _host: Host): Fact[] =>
  factsOfNode({ noMasquerade: noMasquerade(core), routerAdvertisedLinks: core.config.routerAdvertisedLinks });

/** What is missing of it now. @throws SelvedgeError kernel */
export async function nodeLacks(core: Core, host: Host): Promise<Op[]> {
  const facts = nodeFacts(core, host);
  return lacking(facts, await host.kernel.look({}, facts));
}

/** Makes the host's tables and switches, if the pools have changed since this was done last. @throws SelvedgeError kernel */
export async function makeReady(core: Core, host: Host): Promise<void> {
  const wanted = noMasquerade(core).join(" ");
  if (wanted === host.tablesFor) return;
  await host.kernel.apply({}, await nodeLacks(core, host));
  host.tablesFor = wanted;
}
