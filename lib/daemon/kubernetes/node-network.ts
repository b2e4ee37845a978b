/** Tells Kubernetes whether the node's pods can have a network, so that none are sent where they would wait for it. */
import { isFailure } from "#lib/errors.ts";
import type { NodeObject } from "#lib/k8s/node-object.ts";
import { loop } from "#lib/loop.ts";
import type { Core } from "../core.ts";

/** How often the daemon is looked at. */
const LOOK_MS = 1_000;
/** A daemon that waits for less is about to serve: pods that are sent there meanwhile are attached a moment later. */
const PATIENCE_MS = 60_000;
/** As often as kubelet says what has not changed (nodeStatusReportFrequency): an object that was made anew is told, too. */
const REPEAT_MS = 300_000;
/** After one that failed. */
const RETRY_MS = 10_000;

const SERVES = "selvedged attaches pods";

/** Returns one look at the daemon: what is to be told is told. */
export function nodeNetwork(
  { waitingFor, log, nowMs }: Pick<Core, "waitingFor" | "log" | "nowMs">,
  node: NodeObject,
  signal: AbortSignal,
): () => Promise<void> {
  let waitsSinceMs: number | undefined;
  let last: { readonly isAvailable: boolean; readonly sinceMs: number } | undefined;
  let nextMs = 0;
  let trouble = "";

  return async (): Promise<void> => {
    const atMs = nowMs();
    const isAvailable = waitingFor.size === 0;
    waitsSinceMs = isAvailable ? undefined : (waitsSinceMs ?? atMs);
    if (waitsSinceMs !== undefined && atMs - waitsSinceMs < PATIENCE_MS) return;
    const message = isAvailable ? SERVES : [...waitingFor].join("; ");
    const isNews = isAvailable !== last?.isAvailable && trouble === "";
    if (!isNews && atMs < nextMs) return;
    const sinceMs = last?.isAvailable === isAvailable ? last.sinceMs : atMs;
    try {
      await node.sayNetwork({ isAvailable, message, sinceMs, nowMs: atMs }, signal);
      if (isNews || trouble !== "") log({ event: "node-network", available: isAvailable, message });
      last = { isAvailable, sinceMs };
      trouble = "";
      nextMs = atMs + REPEAT_MS;
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (signal.aborted) return;
      if (error.message !== trouble) log({ event: "node-network-failed", message: error.message });
      trouble = error.message;
      nextMs = atMs + RETRY_MS;
    }
  };
}

/** Until the signal. */
export function tellOfNetwork(core: Core, signal: AbortSignal): Promise<void> {
  const { nodeObject } = core;
  if (nodeObject === undefined) return Promise.resolve();
  return loop(nodeNetwork(core, nodeObject, signal), { everyMs: LOOK_MS, debounceMs: 0, signal }).done;
}
