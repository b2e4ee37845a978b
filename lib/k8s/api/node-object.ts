/** A node's object of an API server. */
import { SelvedgeError } from "#lib/errors.ts";
import type { NodeObject } from "../node-object.ts";
import type { ReadAccess } from "./access.ts";
import { asking } from "./ask.ts";

export interface NodeObjectOptions {
  readonly access: ReadAccess;
  readonly userAgent: string;
  /** Of the object. */
  readonly name: string;
}

const PATCH_MS = 10_000;

/** By the subresource `status`, whose right (`patch nodes/status`) does not let its bearer change labels or taints. */
export const nodeObject = ({ access, userAgent, name }: NodeObjectOptions): NodeObject => ({
  async sayNetwork({ isAvailable, message, sinceMs, nowMs }, signal) {
    const condition = {
      type: "NetworkUnavailable",
      status: isAvailable ? "False" : "True",
      reason: isAvailable ? "SelvedgeServes" : "SelvedgeWaits",
      message,
      lastHeartbeatTime: time(nowMs),
      lastTransitionTime: time(sinceMs),
    };
    // Seldom enough for a connection of its own.
    using ask = asking(access, userAgent);
    const answer = await ask({
      path: `/api/v1/nodes/${encodeURIComponent(name)}/status`,
      // The other conditions are kubelet's.
      change: { method: "PATCH", lists: "by key", body: { status: { conditions: [condition] } } },
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATCH_MS)]),
    });
    if ("stream" in answer) return void answer.stream.resume();
    if (answer.status === 404)
      throw new SelvedgeError({ kind: "not-ready" }, `Kubernetes knows no node ${JSON.stringify(name)}`, {
        hint: "SELVEDGE_NODE in the daemon's environment is the node's name where it is not its host name.",
      });
    throw new SelvedgeError({ kind: "not-ready" }, `may not patch nodes/status: ${answer.status} ${answer.message}`);
  },
});

/** As meta/v1 Time has it: whole seconds. */
const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
