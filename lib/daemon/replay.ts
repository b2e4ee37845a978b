/**
 * The DELs that plugins queued while the daemon was away: each carried out once, oldest first. An entry is marked in
 * the transaction that forgets its attachment, so that a crash before its file is removed does not run it again; and
 * an entry that is older than the attachment it names is that of a predecessor, and leaves it alone.
 */
import type { Entry } from "#lib/api/queue.ts";
import type { Request } from "#lib/cni/types.ts";
import { isFailure } from "#lib/errors.ts";
import type { Event } from "#lib/log.ts";
import type { Change } from "#lib/store/store.ts";
import type { Core } from "./core.ts";

/** Carries a DEL out and makes `alsoCommit` durable with it. */
export type Carry = (request: Request, alsoCommit: readonly Change[]) => Promise<void>;

/**
 * Works the queue off. `done` holds the entries that were carried out and whose files may still be there, `told` what
 * the log has of those that wait.
 */
export async function replay(
  core: Core,
  done: Set<string>,
  told: Map<string, Set<string>>,
  carry: Carry,
): Promise<void> {
  const failed = new Set<string>();
  const tell = (name: string, request: Request | undefined, outcome: Outcome, message = ""): void => {
    const known = told.get(name) ?? new Set();
    if (known.has(`${outcome} ${message}`)) return;
    told.set(name, known.add(`${outcome} ${message}`));
    core.log({ ...named(request), event: "replayed", entry: name, outcome, message });
  };
  const unread: string[] = [];
  const entries = await core.queue.list(({ message }) => unread.push(message));
  if (unread.length === 0) told.delete(NO_ENTRY);
  for (const message of unread) tell(NO_ENTRY, undefined, "failed", message);
  for (const entry of entries) {
    const { name } = entry;
    const say = (request: Request | undefined, outcome: Outcome, message?: string) =>
      tell(name, request, outcome, message);
    let request: Request | undefined;
    try {
      const isDone = done.has(name);
      request = isDone ? undefined : await core.queue.read(entry);
      if (request !== undefined && failed.has(request.containerId)) continue;
      const outdated = request !== undefined && (core.table.get(request)?.createdMs ?? 0) > writtenMs(entry);
      if (request !== undefined && !outdated) {
        await carry(request, [{ put: "replayed", name, atMs: core.nowMs() }]);
        done.add(name);
      }
      say(request, isDone || outdated ? "skipped" : request === undefined ? "unreadable" : "done");
      await core.queue.remove(entry);
      told.delete(name);
      if (done.delete(name)) await core.store.commit([{ remove: "replayed", name }]);
    } catch (error) {
      if (!isFailure(error)) throw error;
      // It stays for the next time, and so do later ones of the same container.
      if (request !== undefined) failed.add(request.containerId);
      say(request, "failed", error.message);
    }
  }
}

type Outcome = Extract<Event, { event: "replayed" }>["outcome"];

/** What is told of the queue itself. */
const NO_ENTRY = "";

const named = (request: Request | undefined) => ({
  container: request?.containerId ?? "",
  ifname: request?.ifname ?? "",
});

/** When the plugin wrote the entry, milliseconds since the epoch: names begin with nanoseconds. */
const writtenMs = ({ name }: Entry): number => Number(BigInt(/^\d*/.exec(name)?.[0] || "0") / 1_000_000n);
