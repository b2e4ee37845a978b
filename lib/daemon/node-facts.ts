/** What a host needs as a whole, from the configuration and from what is attached. */
import { networkOf, type Prefix } from "#lib/address.ts";
import { nodeFacts as factsOfNode } from "#lib/datapath/node.ts";
import type { Chain } from "#lib/datapath/tables.ts";
import { routerChains, uplinkChains } from "#lib/datapath/tenant-chains.ts";
import type { Scope } from "#lib/kernel/kernel.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import type { Core } from "./core.ts";
import { type Host, NODE } from "./host.ts";
import { joints, scopeOfRouter } from "./joints.ts";
import { bridgeFacts } from "./segment-bridge.ts";
import { networksOf, peersOf, sideOf, subnetsOn } from "./tenancy.ts";

/** Every pool's subnets and what the operator adds: destinations that see the host's pods under their own address. */
function noMasquerade(core: Core, { name }: Host): Prefix[] {
  const tenant = core.config.tenants.get(name);
  const peers = tenant === undefined ? [] : peersOf(core.config, tenant);
  const pools = [name, ...peers].flatMap((host) => subnetsOn(core, host));
  const added = name === NODE ? core.config.noMasquerade.map(networkOf) : [];
  return [...new Set([...added, ...pools])].sort();
}

function chainsOf(core: Core, { name }: Host): Chain[] {
  const { config } = core;
  if (name === NODE) return core.hosts.size === 1 ? [] : uplinkChains(config.routers);
  const tenant = config.tenants.get(name);
  // Pods of a tenant that is no longer configured are still probed, and reach nobody.
  if (tenant === undefined) return routerChains({ egress: false, services: [], peers: [] });
  const peers = peersOf(config, tenant).map((peer) => sideOf(core, peer));
  return routerChains({ egress: tenant.egress, services: tenant.services, peers });
}

const LOOPBACK: LinkFact = { type: "link", at: "host", name: "lo", kind: "loopback", up: true };

/** Of the host itself, without what it wants together with others. */
export const nodeFacts = (core: Core, host: Host): Fact[] => [
  ...factsOfNode({
    noMasquerade: noMasquerade(core, host),
    routerAdvertisedLinks: host.name === NODE ? core.config.routerAdvertisedLinks : [],
    chains: chainsOf(core, host),
  }),
  ...(host.name === NODE ? [] : [LOOPBACK]),
  ...networksOf(core.config, host.name).flatMap((network) =>
    network.encapsulation === undefined ? [] : bridgeFacts(network),
  ),
];

/** What lacks, and whom `pod` in it means. */
export interface Lack {
  readonly host: Host;
  readonly scope: Scope;
  readonly ops: readonly Op[];
}

/** What is missing of it now. @throws SelvedgeError kernel */
export async function nodeLacks(core: Core, host: Host): Promise<Op[]> {
  const facts = nodeFacts(core, host);
  return lacking(facts, await host.kernel.look({}, facts));
}

/** What is missing of the links between hosts; of those `of` the tenants only, if that is given. @throws SelvedgeError kernel */
export async function jointLacks(core: Core, of?: ReadonlySet<string>): Promise<Lack[]> {
  const lacks: Lack[] = [];
  for (const joint of joints(core)) {
    const host = core.hosts.get(joint.host);
    if (host === undefined || (of !== undefined && !of.has(joint.tenant))) continue;
    const scope = scopeOfRouter(core, joint.tenant);
    const ops = lacking(joint.facts, await host.kernel.look(scope, joint.facts));
    if (ops.length > 0) lacks.push({ host, scope, ops });
  }
  return lacks;
}

/** Makes the links between hosts; returns what was done. @throws SelvedgeError kernel */
export async function makeJoints(core: Core): Promise<Op[]> {
  const lacks = await jointLacks(core);
  for (const { host, scope, ops } of lacks) await host.kernel.apply(scope, ops);
  return lacks.flatMap(({ ops }) => ops);
}

/** Makes the host's tables and switches, if the pools have changed since this was done last. @throws SelvedgeError kernel */
export async function makeReady(core: Core, host: Host): Promise<void> {
  const wanted = noMasquerade(core, host).join(" ");
  if (wanted === host.tablesFor) return;
  await host.kernel.apply({}, await nodeLacks(core, host));
  host.tablesFor = wanted;
}

/** Every host, then what is between them. @throws SelvedgeError kernel */
export async function makeAllReady(core: Core): Promise<void> {
  for (const host of core.hosts.values()) await makeReady(core, host);
  await makeJoints(core);
}
