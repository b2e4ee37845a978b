/** What this node tells the others of its own endpoints on segments that stretch, by records that it alone writes. */
import { type Proofs, proofs } from "#lib/cluster/proof.ts";
import { type EndpointRecord, endpointKey, type NodeId } from "#lib/cluster/records.ts";
import type { ClusterView } from "#lib/cluster/view.ts";
import { isFailure } from "#lib/errors.ts";
import type { Log } from "#lib/log.ts";
import type { Shared } from "#lib/store/shared.ts";
import type { Listener } from "./membership.ts";
import type { Station } from "./segments.ts";

export interface Stations extends Listener {
  /** Says what has not been said yet, and forgets the endpoints of nodes that are gone for good. Reports its own failures. */
  tend(): Promise<void>;
}

export interface StationsOptions {
  readonly self: NodeId;
  readonly shared: Pick<Shared, "put" | "remove">;
  readonly view: ClusterView;
  readonly own: () => readonly Station[];
  readonly log: Log;
  /** Milliseconds on a monotonic clock. */
  readonly clockMs: () => number;
  readonly graceMs: number;
}

export function stations({ self, shared, view, own, log, clockMs, graceMs }: StationsOptions): Stations {
  const evidence: Proofs = proofs(self, graceMs);
  /** What was said and has not been heard back yet; undefined: that the key is to go. */
  let said = new Map<string, string | undefined>();
  let isConnected = false;
  let isInformed = false;

  const told = (key: string): string | undefined => {
    if (said.has(key)) return said.get(key);
    const record = view.endpoints.get(key);
    return record === undefined ? undefined : JSON.stringify(record);
  };

  const say = async (): Promise<void> => {
    const wanted = new Map(
      own().map(({ network, mac, addresses, sinceMs }) => {
        const record: EndpointRecord = { ...self, network, mac, addresses, sinceMs };
        return [endpointKey(record), JSON.stringify(record)];
      }),
    );
    for (const [key, value] of wanted)
      if (told(key) !== value) {
        await shared.put(key, value);
        said.set(key, value);
      }
    for (const key of new Set([...view.endpoints.ofNode(self.node), ...said.keys()]))
      if (!wanted.has(key) && told(key) !== undefined) {
        await shared.remove(key);
        said.set(key, undefined);
      }
  };

  /** Every node does it: what is gone already is no harm. */
  const forget = async (): Promise<void> => {
    const known = new Map<string, NodeId>();
    for (const node of view.endpoints.nodes())
      for (const key of view.endpoints.ofNode(node)) {
        const record = view.endpoints.get(key);
        if (record !== undefined) known.set(record.uid, { node, uid: record.uid });
      }
    const joined = new Map([...view.nodes.values()].map(({ name, uid }) => [name, uid]));
    for (const { node, uid } of evidence.look(known.values(), { joined, alive: view.alive }, clockMs()))
      for (const key of [...view.endpoints.ofNode(node)])
        if (view.endpoints.get(key)?.uid === uid) await shared.remove(key);
  };

  return {
    heed(change) {
      if ("all" in change) {
        evidence.begin();
        isInformed = true;
        said = new Map();
      } else if ("put" in change) said.delete(change.put.key);
      else said.delete(change.remove);
    },
    connection(now) {
      isConnected = now;
      evidence.begin();
    },
    async tend() {
      if (!isConnected || !isInformed) return;
      try {
        await say();
        await forget();
      } catch (error) {
        if (!isFailure(error)) throw error;
        log({ event: "cluster-failed", message: error.message });
      }
    },
  };
}
