/** What hosts want together: facts in which `host` is one of them and `pod` is a tenant's router. */

import { leavers } from "#lib/datapath/egress/facts.ts";
import { overheadOf, segmentFacts } from "#lib/datapath/overlay.ts";
import { peeringFacts } from "#lib/datapath/peering.ts";
import { uplinkFacts } from "#lib/datapath/uplink.ts";
import type { Scope } from "#lib/kernel/kernel.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Core } from "./core.ts";
import { leavingOfTenant } from "./egress-rule.ts";
import { NODE } from "./host.ts";
import { bridgeOf } from "./segment-bridge.ts";
import { networksOf, peersOf, sideOf, transferOf } from "./tenancy.ts";

export interface Joint {
  /** Name of the host. */
  readonly host: string;
  readonly tenant: string;
  readonly facts: readonly Fact[];
}

/** In the order in which they can be made. The uplink of every router that is open; the rest as it is configured. */
export function joints(core: Core): Joint[] {
  const { config, hosts } = core;
  const open = [...config.tenants.values()].filter(({ name }) => hosts.has(name));
  const mtu = core.node.pathMtu;
  return [
    ...[...hosts.keys()]
      .filter((name) => name !== NODE)
      .map((tenant) => ({
        host: NODE,
        tenant,
        facts: [...uplinkFacts({ tenant, transfer: transferOf(core, tenant), mtu }), ...leaversOfTenant(core, tenant)],
      })),
    ...open.flatMap((tenant) =>
      peersOf(config, tenant)
        .filter((peer) => tenant.name < peer && hosts.has(peer))
        .map((peer) => ({
          host: tenant.name,
          tenant: peer,
          facts: peeringFacts(sideOf(core, tenant.name), sideOf(core, peer), mtu),
        })),
    ),
    ...open.flatMap(({ name }) => segments(core, name)),
    ...open.flatMap(({ name }) => {
      const facts = core.cluster?.segmentFacts(name) ?? [];
      return facts.length === 0 ? [] : [{ host: NODE, tenant: name, facts }];
    }),
  ];
}

/** Its packets leave the cluster by an address of its own, if there is one. */
function leaversOfTenant(core: Core, tenant: string): Fact[] {
  const leaving = leavingOfTenant(core.config, tenant);
  const routers = transferOf(core, tenant).map(({ router }) => router);
  return leaving === undefined ? [] : leavers(routers, leaving.index, leaving.addresses);
}

function segments({ config, node }: Core, tenant: string): Joint[] {
  return networksOf(config, tenant).flatMap((network) => {
    const { encapsulation } = network;
    const parent = encapsulation?.parent ?? node.uplink;
    if (encapsulation === undefined || parent === undefined) return [];
    const { type: _, parent: __, ...tunnel } = encapsulation;
    const mtu = network.mtu ?? node.pathMtu - overheadOf(encapsulation);
    const bridge = bridgeOf(network);
    return [{ host: NODE, tenant, facts: segmentFacts({ ...tunnel, network: network.name, bridge, parent, mtu }) }];
  });
}

/** The router's namespace as the pod of a joint. */
export function scopeOfRouter({ hosts }: Pick<Core, "hosts">, tenant: string): Scope {
  const router = hosts.get(tenant)?.router;
  return router === undefined ? {} : { netns: router.netns, netnsInode: router.netnsInode };
}

/** What joints want of a host, on either side of theirs, as facts of that host. */
export const jointFactsOn = (core: Core, host: string): Fact[] =>
  joints(core).flatMap((joint) =>
    joint.facts.flatMap((fact): Fact[] => {
      if (fact.at === "host") return joint.host === host ? [fact] : [];
      return joint.tenant === host ? [{ ...fact, at: "host" } as Fact] : [];
    }),
  );
