/** A tenant's router for a pod that is about to be on it. */
import type { Core } from "./core.ts";
import { join, makeReady } from "./node-facts.ts";
import { openRouter } from "./routers.ts";

/** It stands, with its tables and its links, when this resolves. @throws SelvedgeError kernel, config-invalid */
export async function wantRouter(core: Core, tenant: string): Promise<void> {
  const known = core.hosts.get(tenant);
  const router = known ?? openRouter(core, tenant);
  if (known === undefined) core.onHost(router);
  router.usedUs = core.clockUs();
  if (router.isJoined) return;
  await makeReady(core, router);
  await router.making(tenant, async () => {
    if (router.isJoined) return;
    await join(core, tenant);
    router.isJoined = true;
  });
}
