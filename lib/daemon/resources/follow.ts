/** What Kubernetes says of the configuration taken over while the daemon runs, and answered, as is what routers come to. */
import { loop } from "#lib/loop.ts";
import type { Core } from "../core.ts";

/** How often it is looked whether what was deleted is still used, and whether this node is the one to answer. */
const LOOK_MS = 5_000;
/** Objects that are applied together arrive one after another. */
const GATHER_MS = 50;

export interface Following {
  /** The configuration is another. */
  readonly onChange: () => void;
  readonly signal: AbortSignal;
}

export function followResources(
  { resources, edge }: Pick<Core, "resources" | "edge">,
  { onChange, signal }: Following,
): Promise<void> {
  if (resources === undefined) return Promise.resolve();
  const once = async (): Promise<void> => {
    if (await resources.take()) onChange();
    await resources.say();
  };
  const following = loop(once, { everyMs: LOOK_MS, debounceMs: GATHER_MS, signal });
  resources.onTold = following.poke;
  if (edge !== undefined) edge.onState = following.poke;
  return following.done;
}
