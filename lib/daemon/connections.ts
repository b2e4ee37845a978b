/**
 * Connections that the kernel remembers and that would lead astray: to a pod that is gone, or past a host port that is
 * new. Finding them means walking the whole table, which takes milliseconds however few they are. So nobody waits for it,
 * and what comes within a moment is looked for in one walk: an address is cooling down meanwhile, and a client of a
 * host port recovers within the second.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isFailure } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { Log } from "#lib/log.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { addressesOn, hostPortsOf } from "./record.ts";

/** How long flushes are gathered, ms. */
const GATHER_MS = 300;

export interface Connections {
  /** After DEL: no reply to the old pod, and no translated port, may reach whoever comes next. */
  forget(record: AttachmentRecord): void;
  /** After ADD: a UDP client that was there before the port was opened is tracked as going to the node itself. */
  forgetPorts(record: AttachmentRecord): void;
  /** Does what is still gathered now and waits for it. */
  settled(): Promise<void>;
}

/** Of one host. */
export function connections(
  { name, kernel }: { readonly name: string; readonly kernel: Pick<Kernel, "flushConntrack" | "flushConntrackPort"> },
  log: Log,
): Connections {
  let addresses = new Set<string>();
  let ports = new Map<string, ReturnType<typeof hostPortsOf>[number]>();
  let hurry = new AbortController();
  let running: Promise<void> | undefined;

  const flush = async (): Promise<void> => {
    const now = { addresses: [...addresses], ports: [...ports.values()] };
    addresses = new Set();
    ports = new Map();
    try {
      await Promise.all([
        ...(now.addresses.length > 0 ? [kernel.flushConntrack(now.addresses)] : []),
        ...now.ports.map(({ protocol, port }) => kernel.flushConntrackPort(protocol, port)),
      ]);
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "conntrack-failed", message: error.message });
    }
  };

  const work = async (): Promise<void> => {
    while (addresses.size + ports.size > 0) {
      await sleep(GATHER_MS, undefined, { signal: hurry.signal }).catch(() => {});
      await flush();
    }
    running = undefined;
  };

  const addPorts = (record: AttachmentRecord) => {
    for (const each of hostPortsOf(record)) ports.set(`${each.protocol} ${each.port}`, each);
    if (addresses.size + ports.size > 0) running ??= work();
  };

  return {
    forget(record) {
      for (const address of addressesOn(record, name)) addresses.add(address);
      addPorts(record);
    },
    forgetPorts: addPorts,
    async settled() {
      hurry.abort();
      await running;
      hurry = new AbortController();
    },
  };
}
