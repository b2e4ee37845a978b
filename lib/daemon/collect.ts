/** GC: DEL for every attachment of the network that is not in the runtime's list. */
import { parseNetConf } from "#lib/cni/netconf.ts";
import type { Request } from "#lib/cni/types.ts";
import { isFailure, type SelvedgeError } from "#lib/errors.ts";
import type { Core } from "./core.ts";
import { delegationOf } from "./delegated.ts";
import { removeAttachment } from "./remove.ts";
import { keyOf } from "./table.ts";

/**
 * An absent list is no information: nothing happens. One failure does not stop the rest.
 * @returns the network, and how many of its attachments were removed
 * @throws SelvedgeError the first failure, after everything was tried
 */
export async function collect(
  core: Core,
  request: Request,
  locked: <T>(containerId: string, work: () => Promise<T>) => Promise<T>,
): Promise<{ network: string; removed: number }> {
  const conf = parseNetConf("GC", request.config, request.args);
  if (conf.validAttachments === undefined) return { network: conf.name, removed: 0 };
  const valid = new Set(conf.validAttachments.map(keyOf));
  const stale = [...core.table].filter((record) => record.network === conf.name && !valid.has(keyOf(record)));
  const failures: SelvedgeError[] = [];
  let removed = 0;
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      failures.push(error);
    }
  };
  for (const { containerId, ifname } of stale)
    await attempt(() =>
      locked(containerId, async () => {
        const record = core.table.get({ containerId, ifname });
        if (record === undefined) return;
        await removeAttachment(core, record);
        removed++;
      }),
    );
  const delegated = delegationOf(request, "GC");
  if (delegated !== undefined) await attempt(async () => void (await core.delegate(delegated)));
  if (failures[0] !== undefined) throw failures[0];
  return { network: conf.name, removed };
}
