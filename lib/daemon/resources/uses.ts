/** Which pods use a tenant, a pool or a network on this node; a router is used by none of them. */
import { parseNetConf } from "#lib/cni/netconf.ts";
import type { Resource } from "#lib/config/resources.ts";
import { readable } from "#lib/parse.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { withItself } from "../asked-planes.ts";
import type { Core } from "../core.ts";

/** Of each of its interfaces. */
const networksOf = ({ planes, config, args, ifname }: AttachmentRecord): (string | undefined)[] =>
  planes?.map(({ name }) => name) ?? [
    readable(() => withItself(parseNetConf("ADD", Buffer.from(config), args, ifname)).network),
  ];

/** As of now. */
export function usesHere({ table, ipam }: Pick<Core, "table" | "ipam">): (resource: Resource) => boolean {
  let networks: Set<string | undefined> | undefined;
  let tenants: Set<string> | undefined;
  return ({ kind, name }) => {
    if (kind === "Router") return false;
    if (kind === "Tenant") {
      tenants ??= new Set([...table].flatMap(({ tenantFacts = {} }) => Object.keys(tenantFacts)));
      return tenants.has(name);
    }
    if (kind === "Network") {
      networks ??= new Set([...table].flatMap(networksOf));
      return networks.has(name);
    }
    return [ipam.reservations(name), ipam.leases(name), ipam.shares(name)].some(({ length }) => length > 0);
  };
}
