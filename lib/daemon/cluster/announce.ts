/** This node's own records in the shared store, by compare-and-swap. */
import { legible } from "#lib/cluster/legible.ts";
import { readLiveness } from "#lib/cluster/read-record.ts";
import { aliveKey, type LivenessRecord, type NodeRecord, nodeKey } from "#lib/cluster/records.ts";
import type { Shared } from "#lib/store/shared.ts";

/**
 * Takes the node's name for as long as the daemon is heard of, and says under it who the node is. A node of that name
 * that is heard of keeps it; the name of one that is not is free, whoever had it.
 * @returns uid of the node that has the name; undefined when it is this one
 * @throws SelvedgeError store
 */
export async function announce(shared: Shared, record: NodeRecord): Promise<string | undefined> {
  const holder = await takeName(shared, record);
  if (holder !== undefined) return holder;
  await publish(shared, record);
  return undefined;
}

async function takeName(shared: Shared, { name, uid }: NodeRecord): Promise<string | undefined> {
  const key = aliveKey(name);
  const value = JSON.stringify({ uid } satisfies LivenessRecord);
  for (;;) {
    const entry = await shared.get(key);
    // A record that nobody can read is nobody's claim.
    const holder = entry === undefined ? undefined : legible(entry, readLiveness)?.uid;
    if (holder !== undefined && holder !== uid) return holder;
    // One of a daemon before this one on the same node ends with that daemon's lease: it is put anew.
    const done = await shared.put(key, value, { if: entry?.revision ?? "absent", whileAlive: true });
    if (done !== undefined) return undefined;
  }
}

async function publish(shared: Shared, record: NodeRecord): Promise<void> {
  const key = nodeKey(record.name);
  const value = JSON.stringify(record);
  for (;;) {
    const entry = await shared.get(key);
    if (entry?.value === value) return;
    if ((await shared.put(key, value, { if: entry?.revision ?? "absent" })) !== undefined) return;
  }
}
