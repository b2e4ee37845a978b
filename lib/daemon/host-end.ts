/** Whether anything of an attachment still stands on its hosts. */
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { hostEndsOf } from "./record.ts";

/** One end is enough. False for an attachment that has none. @throws SelvedgeError kernel */
export async function hostEndStands(core: Core, record: AttachmentRecord): Promise<boolean> {
  for (const { host, link } of hostEndsOf(record))
    if ((await core.hosts.get(host)?.kernel.look({}, [link]))?.length) return true;
  return false;
}
