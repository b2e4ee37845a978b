/**
 * Tenants' routers as hosts: opened with the first pod of the tenant, kept while it has any and for a while after, and
 * found again by the next daemon.
 */
import { transferIn } from "#lib/datapath/probe.ts";
import { type Transfer, transferFor } from "#lib/datapath/transfer.ts";
import type { Core } from "./core.ts";
import { type Host, host, NODE } from "./host.ts";
import { partsOf } from "./parts.ts";

/** A pod that is replaced by another need not wait for a router to be made. */
const LINGER_US = 600_000_000;

/** Those that attachments are on, and those of configured tenants that stand already. @throws SelvedgeError kernel */
export function findRouters(core: Core): void {
  const attached = attachedTo(core);
  // Those that pods' facts speak of have theirs before others may take them.
  for (const tenant of attached) openRouter(core, tenant, countedOn(core, tenant));
  for (const tenant of core.routers.names().toSorted())
    if (core.config.tenants.has(tenant) && !attached.has(tenant)) openRouter(core, tenant);
}

/**
 * Made where it does not stand.
 * @param kept the addresses of its uplink that facts count on
 * @throws SelvedgeError kernel; config-invalid: its uplink finds no addresses
 */
export function openRouter(core: Core, tenant: string, kept: Transfer = []): Host {
  const taken = [...core.hosts.values()].flatMap(({ transfer }) => (transfer === undefined ? [] : [transfer]));
  const transfer = transferFor(tenant, { ranges: core.config.routers.transferRanges, kept, taken });
  const router = core.routers.open(tenant);
  const made = host({ name: tenant, kernel: router.kernel, router, transfer }, core.log, core.clockUs());
  core.hosts.set(tenant, made);
  return made;
}

/** Names of the tenants whose routers attachments are on, however far those are. */
function attachedTo({ table }: Core): Set<string> {
  const names = new Set<string>();
  for (const record of table) for (const part of partsOf(record)) if (part.host !== NODE) names.add(part.host);
  return names;
}

const countedOn = ({ table }: Core, tenant: string): Transfer =>
  [...table].flatMap(({ facts, tenantFacts }) =>
    tenantFacts?.[tenant] === undefined ? [] : transferIn(facts, tenant),
  );

/** Mounts routers again that somebody unmounted. Returns what was done, line by line. @throws SelvedgeError kernel */
export const showRouters = ({ hosts }: Core): string[] =>
  [...hosts.values()].flatMap(({ name, router }) => (router?.show() ? [`+ router ${name}`] : []));

/** Those that nobody wants any more. Returns what was done, line by line. @throws SelvedgeError kernel */
export async function removeRouters(core: Core): Promise<string[]> {
  const lines: string[] = [];
  for (const name of unwanted(core)) {
    // While others were being closed an ADD may have come that counts on it.
    if (!unwanted(core).has(name)) continue;
    await removeRouter(core, name);
    lines.push(`- router ${name}`);
  }
  return lines;
}

/** Names of those that stand and have had nobody on them for long enough. */
function unwanted(core: Core): Set<string> {
  const now = core.clockUs();
  const attached = attachedTo(core);
  for (const name of attached) {
    const router = core.hosts.get(name);
    if (router !== undefined) router.usedUs = now;
  }
  // An ADD that has asked for the router may not be on it yet.
  const lingers = ({ name, usedUs }: Host) => core.config.tenants.has(name) && now - usedUs < LINGER_US;
  const isKept = (name: string): boolean => {
    const open = core.hosts.get(name);
    return name === NODE || attached.has(name) || (open !== undefined && lingers(open));
  };
  return new Set([...core.hosts.keys(), ...core.routers.names()].filter((name) => !isKept(name)));
}

async function removeRouter(core: Core, name: string): Promise<void> {
  const open = core.hosts.get(name);
  core.hosts.delete(name);
  if (open !== undefined) await closeHost(open);
  // Whoever has opened it meanwhile has found it standing.
  if (!core.hosts.has(name)) core.routers.remove(name);
}

/** Its sockets go, and what it holds of its namespace. @throws SelvedgeError kernel */
export async function closeHost({ router, connections, closing }: Host): Promise<void> {
  closing.abort();
  await connections.settled();
  await router?.[Symbol.asyncDispose]();
}
