/** A name's addresses move to its next attachment as soon as nobody can be using them. */
import { poolsOf } from "./acquire.ts";
import type { Core } from "./core.ts";
import { namespaceGone } from "./namespace-gone.ts";
import { nameOf } from "./owner.ts";
import type { Plane } from "./planes.ts";
import { removeAttachment } from "./remove.ts";

/**
 * Removes an attachment that holds what is reserved for the plane's name and whose namespace is provably gone, instead
 * of waiting for its DEL, which then finds nothing. One that lives, or that a verb is busy with, stays: the ADD is
 * refused.
 * @throws SelvedgeError config-invalid, kernel, delegate, store
 */
export async function makeWay(core: Core, { key, conf, settings }: Plane): Promise<void> {
  const name = nameOf(conf);
  if (name === undefined || !core.ipam.isReserved(name)) return;
  const pools = poolsOf(core, conf, settings).map((pool) => (typeof pool === "string" ? pool : pool.name));
  for (const lease of pools.flatMap((pool) => core.ipam.holders(pool, name))) {
    const held = core.table.ofInterface(lease);
    // Waiting for another container's lock with our own held could wait for ever.
    if (held === undefined || held.containerId === key.containerId || core.lock.held(held.containerId)) continue;
    await core.lock(held.containerId, async () => {
      const record = core.table.ofInterface(lease);
      if (record !== undefined && (await namespaceGone(core, record))) await removeAttachment(core, record);
    });
  }
}
