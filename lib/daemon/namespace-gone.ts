/** Proof that an attachment's namespace is gone. */
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { hostEndStands } from "./host-end.ts";
import { allFacts } from "./parts.ts";

/**
 * Two things at once: nothing, or another namespace, at the recorded path; and no link on a host, which only the end of
 * the namespace takes away together with its peer. A path that the daemon merely cannot see proves nothing.
 */
export async function namespaceGone(core: Core, record: AttachmentRecord): Promise<boolean> {
  if (record.netnsInode === undefined || core.kernel.namespaceInode(record.netns) === record.netnsInode) return false;
  return !(await hostEndStands(core, record)) && !(await hasDeviceSomewhere(core, record));
}

/** A device that was lent to it is in a namespace still: then it is the path alone that cannot be seen. */
async function hasDeviceSomewhere(core: Core, record: AttachmentRecord): Promise<boolean> {
  for (const fact of allFacts(record)) {
    if (fact.type !== "link" || fact.kind !== "device" || fact.alias === undefined) continue;
    if ((await core.kernel.devices.whereIs({ alias: fact.alias })) !== undefined) return true;
  }
  return false;
}
