/** DEL: whatever is known of the attachment goes; what is not there any more is success. */
import { preflight, refuseOwnNamespace } from "#lib/cni/preflight.ts";
import type { Request } from "#lib/cni/types.ts";
import { isFailure } from "#lib/errors.ts";
import type { Change } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { delegationOf } from "./delegated.ts";
import { removeAttachment } from "./remove.ts";
import type { Recording } from "./trace.ts";

/**
 * A record decides, not the configuration, which may have changed since the ADD; but a DEL that names another network
 * is another attachment's (the one after a refused ADD, say) and leaves this one alone.
 *
 * @returns whether an attachment was there
 * @throws SelvedgeError decode, config-invalid (name), own-namespace, kernel, store
 */
export async function del(
  core: Core,
  request: Request,
  trace: Recording,
  alsoCommit: readonly Change[] = [],
): Promise<boolean> {
  const { name } = preflight("DEL", request.config);
  const inode = request.netns === "" ? undefined : core.kernel.namespaceInode(request.netns);
  refuseOwnNamespace({ netnsInode: inode ?? 0, allowOwnNetns: request.allowOwnNetns }, core.ownNetnsInode);
  trace.ended("parsed");

  const record = core.table.get(request);
  if (record !== undefined && record.network === name) {
    await removeAttachment(core, record, { trace, alsoCommit });
    return true;
  }
  await releaseDelegated(core, request);
  if (alsoCommit.length > 0) await core.store.commit(alsoCommit);
  return false;
}

/** Another IPAM plugin may remember what our store does not. What it says of a thing that is gone is of no interest. */
async function releaseDelegated(core: Core, request: Request): Promise<void> {
  const delegated = delegationOf(request, "DEL");
  if (delegated === undefined) return;
  await core.delegate(delegated).catch((error: unknown) => {
    if (!isFailure(error, "config-invalid", "delegate")) throw error;
  });
}
