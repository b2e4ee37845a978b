/** The three machines of place.ts, and what their daemons have in common wherever they meet. */
import type { JsonObject } from "../../conformance/subject.ts";
import { type ClusterNode, startNode } from "./node.ts";
import { type Family, NAMES, type Name } from "./place.ts";
import { makeWire, removeWire } from "./wire.ts";

/** @param families that the networks between them have */
export async function makeMachines(families: readonly Family[]): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  stack.defer(removeWire);
  await makeWire(families);
  return stack.move();
}

export interface Meeting {
  /** `cluster.store` of the configuration. */
  readonly store: JsonObject;
  /** Laid over the rest of `cluster`. */
  readonly cluster?: JsonObject;
  /** Laid over the rest of the configuration. */
  readonly config: JsonObject;
}

export const startMember = (name: Name, { store, cluster = {}, config }: Meeting): Promise<ClusterNode> =>
  startNode(name, {
    ipam: { coolDownSeconds: 2 },
    ...config,
    cluster: { store, node: { name }, probe: { everyMs: 200, lost: 5 }, ...cluster },
  });

export async function startMembers(meeting: Meeting): Promise<Record<Name, ClusterNode>> {
  const [a, b, c] = await Promise.all(NAMES.map((name) => startMember(name, meeting)));
  if (a === undefined || b === undefined || c === undefined) throw new TypeError("three names are three nodes");
  return { a, b, c };
}

export async function endMembers(nodes: Readonly<Record<Name, ClusterNode>>): Promise<void> {
  for (const name of NAMES) await nodes[name][Symbol.asyncDispose]();
}
