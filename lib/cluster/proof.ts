/**
 * When a node is known to be gone for good: its record is gone, or another node has joined by its name, the store has
 * not heard of it, and all of that has been so for a whole grace, seen without a break. A list that came back empty
 * proves nothing: it begins the grace anew, and a store in which not even this node is known says nothing of others.
 */
import type { NodeId } from "./records.ts";

export interface Heard {
  /** By name: uid of the node that has joined by it. */
  readonly joined: ReadonlyMap<string, string>;
  /** By name: uid of the node that the store hears of. */
  readonly alive: ReadonlyMap<string, string>;
}

export interface Proofs {
  /** @returns those of the nodes that are gone; to be told of every node in question each time, or its grace is forgotten */
  look(nodes: Iterable<NodeId>, heard: Heard, nowMs: number): readonly NodeId[];
  /** Something may have been missed: what was seen counts no more. */
  begin(): void;
}

/** How long a node must be away before what it had is given to others, milliseconds. */
export const GRACE_MS = 600_000;

export function proofs(self: NodeId, graceMs: number): Proofs {
  /** On the caller's monotonic clock, by uid. */
  let since = new Map<string, number>();
  return {
    look(nodes, heard, nowMs) {
      const now = new Map<string, number>();
      const gone = new Map<string, NodeId>();
      const isKnown = heard.joined.get(self.node) === self.uid;
      for (const id of isKnown ? nodes : []) {
        if (id.uid === self.uid || !isMissing(id, heard)) continue;
        const firstMs = since.get(id.uid) ?? nowMs;
        now.set(id.uid, firstMs);
        if (nowMs - firstMs >= graceMs) gone.set(id.uid, { node: id.node, uid: id.uid });
      }
      since = now;
      return [...gone.values()];
    },
    begin() {
      since = new Map();
    },
  };
}

export const isMissing = ({ node, uid }: NodeId, { joined, alive }: Heard): boolean =>
  joined.get(node) !== uid && alive.get(node) !== uid;
