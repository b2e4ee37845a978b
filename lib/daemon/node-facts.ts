/** What a host needs as a whole, from the configuration and from what is attached. */
import { addressOf, networkOf, type Prefix } from "#lib/address.ts";
import { isEncrypted } from "#lib/cluster/ways.ts";
import type { Chain } from "#lib/datapath/chain.ts";
import { egressChains, egressFirst } from "#lib/datapath/egress/chains.ts";
import { gatewayRoutes } from "#lib/datapath/gateway-routes.ts";
import { isMarked } from "#lib/datapath/marking.ts";
import { nodeFacts as factsOfNode } from "#lib/datapath/node.ts";
import { segmentChains } from "#lib/datapath/overlay.ts";
import { stretchChains } from "#lib/datapath/stretch.ts";
import { routerChains, uplinkChains } from "#lib/datapath/tenant-chains.ts";
import { wayChains } from "#lib/datapath/ways/chains.ts";
import { nobodyFacts } from "#lib/datapath/ways/nobody.ts";
import { isFailure } from "#lib/errors.ts";
import { slices } from "#lib/slices.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { portsOf } from "./cluster/egress.ts";
import { type Core, hostOf } from "./core.ts";
import { type Host, NODE } from "./host.ts";
import { type Joint, joints, scopeOfRouter } from "./joints.ts";
import { partsOf } from "./parts.ts";
import { bridgeFacts, stretchedOf } from "./segment-bridge.ts";
import { networksOf, peersOf, sideOf, subnetsOn } from "./tenancy.ts";

/** Every pool's subnets and what the operator adds: destinations that see the host's pods under their own address. */
function noMasquerade(core: Core, { name }: Host): Prefix[] {
  const tenant = core.config.tenants.get(name);
  const peers = tenant === undefined ? [] : peersOf(core.config, tenant);
  const pools = [name, ...peers].flatMap((host) => subnetsOn(core, host));
  const added = name === NODE ? core.config.noMasquerade.map(networkOf) : [];
  return [...new Set([...added, ...pools])].sort();
}

const hasUplinks = ({ hosts, config }: Core): boolean => hosts.size > 1 || config.tenants.size > 0;

const leavingFirst = ({ config }: Core): string[] => egressFirst(portsOf(config.cluster?.egress ?? []));

function chainsOf(core: Core, host: Host): Chain[] {
  const { name } = host;
  const { config } = core;
  if (name === NODE)
    return [
      ...(hasUplinks(core) ? uplinkChains(config.routers, leavingFirst(core)) : []),
      ...segmentChains([...config.networks.values()].flatMap(({ encapsulation }) => encapsulation ?? [])),
      ...(core.cluster === undefined || config.cluster === undefined
        ? []
        : [
            ...wayChains({ ...config.cluster, encrypt: isEncrypted(config.cluster) }),
            ...egressChains({
              ports: portsOf(config.cluster.egress),
              within: noMasquerade(core, host),
              port: config.cluster.vxlan.port,
              encrypted: isEncrypted(config.cluster),
              local: { senders: config.routers.transferRanges, by: core.cluster.record.tunnelAddresses },
            }),
            ...stretchChains(stretchedOf(config), config.cluster.vxlan.port, isEncrypted(config.cluster)),
          ]),
      ...(core.policies?.chains() ?? []),
    ];
  const tenant = config.tenants.get(name);
  // Pods of a tenant that is no longer configured are still probed, and reach nobody.
  if (tenant === undefined) return routerChains({ egress: false, services: [], peers: [] });
  const peers = peersOf(config, tenant).map((peer) => sideOf(core, peer));
  return routerChains({ egress: tenant.egress, services: tenant.services, peers });
}

const LOOPBACK: LinkFact = { type: "link", at: "host", name: "lo", kind: "loopback", up: true };

/** Of the host itself, without what it wants together with others. */
export const nodeFacts = (core: Core, host: Host): Fact[] => [...poolFacts(core, host), ...othersFacts(core, host)];

/** What follows from the configuration and from the pools. */
const poolFacts = (core: Core, host: Host): Fact[] => [
  ...lonelyFacts(core, host),
  ...(host.name === NODE ? [...nobody(core), ...gateways(core)] : []),
];

const gateways = ({ config, node }: Core): Fact[] =>
  (config.edge?.pairs ?? []).flatMap(({ networks }) =>
    networks.flatMap(({ addresses, defaultRouteMetric: metric }) =>
      metric === undefined
        ? []
        : gatewayRoutes(
            addresses.map((each) => ({ address: addressOf(each), metric })),
            node.networks,
          ),
    ),
  );

const nobody = ({ blocks, ipam }: Core): Fact[] =>
  blocks === undefined ? [] : nobodyFacts(ipam.subnets((pool) => blocks.isShared(pool)));

/** What follows from the other nodes of a cluster: several facts for each of them. */
const othersFacts = ({ cluster }: Core, host: Host): Fact[] => (host.name === NODE ? (cluster?.facts() ?? []) : []);

/** Of the host itself, whatever other nodes there are. */
export const lonelyFacts = (core: Core, host: Host): Fact[] => [
  ...factsOfNode({
    noMasquerade: noMasquerade(core, host),
    routerAdvertisedLinks: host.name === NODE ? core.config.routerAdvertisedLinks : [],
    chains: chainsOf(core, host),
    leaving: host.name === NODE ? leavingFirst(core) : [],
    isMarking: isMarking(core, host),
  }),
  ...(host.name === NODE ? [] : [LOOPBACK]),
  ...networksOf(core.config, host.name).flatMap((network) =>
    network.encapsulation === undefined ? [] : bridgeFacts(network),
  ),
];

/** Facts that are compared before whoever asks for something is heard: some 10 ms of work. */
const AT_ONCE = 512;

/** The kernel tells of these by lists, which take the same for one of them as for all. */
const isListed = (fact: Fact): boolean =>
  fact.type === "wireguard-peer" || (fact.type === "route" && fact.table !== undefined);

/**
 * What is missing of facts, part by part, each looked for when the one before has been dealt with: links come before what
 * is on them. @throws SelvedgeError kernel
 */
async function* lacksByPart({ kernel }: Host, facts: readonly Fact[]): AsyncGenerator<Op[]> {
  const listed = facts.filter(isListed);
  for await (const some of slices(facts, AT_ONCE)) {
    const part = some.filter((fact) => !isListed(fact));
    yield lacking(part, await kernel.look({}, part));
  }
  if (listed.length > 0) yield lacking(listed, await kernel.look({}, listed));
}

/** What is missing of it now. @throws SelvedgeError kernel */
export async function nodeLacks(core: Core, host: Host): Promise<Op[]> {
  const ops: Op[] = [];
  for await (const some of lacksByPart(host, nodeFacts(core, host))) ops.push(...some);
  return ops;
}

/** What is missing of the links between hosts; of those `of` the tenants only, if that is given. @throws SelvedgeError kernel */
export async function jointLacks(core: Core, of?: ReadonlySet<string>): Promise<Op[]> {
  const meant = joints(core).filter(({ tenant }) => of === undefined || of.has(tenant));
  const found: Op[] = [];
  for (const joint of meant) found.push(...(await lacksOf(core, joint)));
  return found;
}

/** Makes the links between hosts, each whatever becomes of the others; returns what was done. Reports its own failures. */
export async function makeJoints(core: Core): Promise<Op[]> {
  const done: Op[] = [];
  for (const joint of joints(core)) {
    try {
      const ops = await lacksOf(core, joint);
      await hostOf(core, joint.host).kernel.apply(scopeOfRouter(core, joint.tenant), ops);
      done.push(...ops);
    } catch (error) {
      if (!isFailure(error)) throw error;
      core.log({
        event: "repair-failed",
        container: "",
        ifname: "",
        message: `tenant ${joint.tenant}: ${error.message}`,
      });
    }
  }
  return done;
}

/** Makes the links of one tenant's router to the node, to open peers and to other nodes. @throws SelvedgeError kernel */
export async function join(core: Core, tenant: string): Promise<void> {
  for (const joint of joints(core))
    if (joint.tenant === tenant || joint.host === tenant)
      await hostOf(core, joint.host).kernel.apply(scopeOfRouter(core, joint.tenant), await lacksOf(core, joint));
}

async function lacksOf(core: Core, { host, tenant, facts }: Joint): Promise<Op[]> {
  return lacking(facts, await hostOf(core, host).kernel.look(scopeOfRouter(core, tenant), facts));
}

/** Stays until the daemon ends: a table that is made anew for each pod that comes or goes would cost more than a look-up. */
function isMarking({ table }: Core, host: Host): boolean {
  host.isMarking ??= [...table].flatMap(partsOf).some((part) => part.host === host.name && isMarked(part.facts));
  return host.isMarking;
}

/** What comes and goes while the daemon runs and pods must not wait for: pools, marks, and that there are tenants. */
const needsOf = (core: Core, host: Host): string =>
  [
    ...noMasquerade(core, host),
    ...(isMarking(core, host) ? ["marks"] : []),
    ...(host.name === NODE && hasUplinks(core) ? ["uplinks"] : []),
  ].join(" ");

/** Makes what is missing of the host's own; returns what was done. @throws SelvedgeError kernel */
export const makeWhole = (core: Core, host: Host): Promise<Op[]> =>
  host.making(host.name, () => make(core, host, nodeFacts(core, host)));

async function make(core: Core, host: Host, facts: readonly Fact[]): Promise<Op[]> {
  const needs = needsOf(core, host);
  // An ADD of another pool must not count on tables that are about to be others.
  if (host.tablesFor !== needs) host.tablesFor = undefined;
  const ops: Op[] = [];
  for await (const some of lacksByPart(host, facts)) {
    await host.kernel.apply({}, some);
    ops.push(...some);
  }
  host.tablesFor = needs;
  return ops;
}

/**
 * Makes the host's tables and switches, if they were last made for something else.
 * @param coming what is about to be made on it
 * @throws SelvedgeError kernel
 */
export async function makeReady(core: Core, host: Host, coming: readonly Fact[] = []): Promise<void> {
  if (isMarked(coming)) host.isMarking = true;
  const isReady = (): boolean => needsOf(core, host) === host.tablesFor;
  if (isReady()) return;
  await host.making(host.name, async () => {
    if (!isReady()) await make(core, host, poolFacts(core, host));
  });
}

/** Every host, then what is between them. @throws SelvedgeError kernel */
export async function makeAllReady(core: Core): Promise<void> {
  for (const host of core.hosts.values()) await makeReady(core, host);
  await makeJoints(core);
}
