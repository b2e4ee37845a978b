/** Tenants' routers as hosts: opened at start, kept, and taken away when neither the configuration nor a pod wants them. */
import type { Core } from "./core.ts";
import { type Host, host, NODE } from "./host.ts";
import { partsOf } from "./parts.ts";

/** Those that are configured, and those that attachments are still on. @throws SelvedgeError kernel */
export function openRouters(core: Core): void {
  for (const tenant of wanted(core)) {
    const router = core.routers.open(tenant);
    core.hosts.set(tenant, host({ name: tenant, kernel: router.kernel, router }, core.log));
  }
}

function wanted({ config, table }: Core): Set<string> {
  const names = new Set(config.tenants.keys());
  for (const record of table) for (const part of partsOf(record)) if (part.host !== NODE) names.add(part.host);
  return names;
}

/** Mounts routers again that somebody unmounted. Returns what was done, line by line. @throws SelvedgeError kernel */
export const showRouters = ({ hosts }: Core): string[] =>
  [...hosts.values()].flatMap(({ name, router }) => (router?.show() ? [`+ router ${name}`] : []));

/** Those that nobody wants any more. Returns what was done, line by line. @throws SelvedgeError kernel */
export async function removeRouters(core: Core): Promise<string[]> {
  const kept = wanted(core);
  const gone = new Set(
    [...core.hosts.keys(), ...core.routers.names()].filter((name) => name !== NODE && !kept.has(name)),
  );
  for (const name of gone) await removeRouter(core, name);
  return [...gone].map((name) => `- router ${name}`);
}

async function removeRouter(core: Core, name: string): Promise<void> {
  const open = core.hosts.get(name);
  core.hosts.delete(name);
  if (open !== undefined) await closeHost(open);
  core.routers.remove(name);
}

/** Its sockets go, and what it holds of its namespace. @throws SelvedgeError kernel */
export async function closeHost({ router, connections, closing }: Host): Promise<void> {
  closing.abort();
  await connections.settled();
  await router?.[Symbol.asyncDispose]();
}
