/**
 * The DELs that plugins queued while the daemon was away: each carried out once, oldest first. An entry is marked in
 * the transaction that forgets its attachment, so that a crash before its file is removed does not run it again; and
 * an entry that is older than the attachment it names is that of a predecessor, and leaves it alone.
 */
import type { Entry } from "#lib/api/queue.ts";
import type { Request } from "#lib/cni/types.ts";
import { isFailure } from "#lib/errors.ts";
import type { Change } from "#lib/store/store.ts";
import type { Core } from "./core.ts";

/** Carries a DEL out and makes `alsoCommit` durable with it. */
export type Carry = (request: Request, alsoCommit: readonly Change[]) => Promise<void>;

/**
 * Works the queue off. `done` holds the entries that were carried out and whose files may still be there, `told` those
 * of which the log knows why they wait.
 */
export async function replay(core: Core, done: Set<string>, told: Map<string, string>, carry: Carry): Promise<void> {
  const failed = new Set<string>();
  for (const entry of await core.queue.list()) {
    const request = done.has(entry.name) ? undefined : await core.queue.read(entry);
    if (request !== undefined && failed.has(request.containerId)) continue;
    const outdated = request !== undefined && (core.table.get(request)?.createdMs ?? 0) > writtenMs(entry);
    if (request !== undefined && !outdated) {
      try {
        await carry(request, [{ put: "replayed", name: entry.name, atMs: core.nowMs() }]);
      } catch (error) {
        if (!isFailure(error)) throw error;
        // It stays for the next time, and so do later ones of the same container.
        failed.add(request.containerId);
        const { message } = error;
        if (told.get(entry.name) === message) continue;
        told.set(entry.name, message);
        core.log({ ...named(request), event: "replayed", entry: entry.name, outcome: "failed", message });
        continue;
      }
      done.add(entry.name);
    }
    const skipped = outdated || done.has(entry.name);
    const outcome = request !== undefined && !outdated ? "done" : skipped ? "skipped" : "unreadable";
    core.log({ ...named(request), event: "replayed", entry: entry.name, outcome, message: "" });
    await core.queue.remove(entry);
    told.delete(entry.name);
    if (done.delete(entry.name)) await core.store.commit([{ remove: "replayed", name: entry.name }]);
  }
}

const named = (request: Request | undefined) => ({
  container: request?.containerId ?? "",
  ifname: request?.ifname ?? "",
});

/** When the plugin wrote the entry, milliseconds since the epoch: names begin with nanoseconds. */
const writtenMs = ({ name }: Entry): number => Number(BigInt(/^\d*/.exec(name)?.[0] || "0") / 1_000_000n);
