/**
 * Connections that the kernel remembers and that would lead astray: to a pod that is gone, or past a host port that is
 * new. Walking the table takes milliseconds, so nobody waits for it: an address is cooling down meanwhile, and a client
 * of a host port recovers with its next packet.
 */
import { isFailure } from "#lib/errors.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { addressesOf, hostPortsOf } from "./record.ts";

/** After DEL: no reply to the old pod, and no translated port, may reach whoever comes next. */
export const forgetConnections = (core: Core, record: AttachmentRecord): void =>
  behind(core, async () => {
    const addresses = addressesOf(record);
    if (addresses.length > 0) await core.kernel.flushConntrack(addresses);
    await flushPorts(core, record);
  });

/** After ADD: a UDP client that was there before the port was opened is tracked as going to the node itself. */
export const forgetPorts = (core: Core, record: AttachmentRecord): void => behind(core, () => flushPorts(core, record));

async function flushPorts(core: Core, record: AttachmentRecord): Promise<void> {
  for (const { protocol, port } of hostPortsOf(record)) await core.kernel.flushConntrackPort(protocol, port);
}

function behind(core: Core, work: () => Promise<void>): void {
  const running: Promise<void> = work()
    .catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      core.log({ event: "conntrack-failed", message: error.message });
    })
    .finally(() => core.behind.delete(running));
  core.behind.add(running);
}
