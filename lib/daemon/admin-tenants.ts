/** The part of the Admin service that is about tenants. */
import type { AdminHandlers } from "#lib/api/server.ts";
import { probesIn } from "#lib/datapath/probe.ts";
import type { Probe, Tenant } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";
import { NODE } from "./host.ts";
import { networksOf, peersOf, subnetsOn, transferOf } from "./tenancy.ts";

export const adminTenants = (core: Core): Pick<AdminHandlers, "listTenants"> => ({
  listTenants: async () => ({
    tenants: [...new Set([...core.config.tenants.keys(), ...core.hosts.keys()])]
      .filter((name) => name !== NODE)
      .map((name) => shown(core, name, core.hosts.get(name)?.router?.netns ?? "")),
  }),
});

function shown(core: Core, name: string, router: string): Tenant {
  const configured = core.config.tenants.get(name);
  const peers = configured === undefined ? [] : peersOf(core.config, configured);
  return {
    name,
    configured: configured !== undefined,
    router,
    networks: networksOf(core.config, name).map((network) => network.name),
    subnets: subnetsOn(core, name),
    peers,
    asked: configured?.peers.filter((peer) => !peers.includes(peer)) ?? [],
    addresses: transferOf(core, name).map((ends) => ends.router),
    probes: probesOf(core, name),
  };
}

const probesOf = (core: Core, tenant: string): Probe[] =>
  [...core.table].flatMap(({ containerId, ifname, pod = "", tenantFacts }) =>
    probesIn(tenantFacts?.[tenant] ?? []).map((found) => ({
      key: { containerId, ifname },
      pod,
      address: found.pod,
      probe: found.probe,
    })),
  );
