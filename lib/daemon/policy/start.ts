/** Policies joined to the node: its kernel, its tables, its attachments. */

import { isFailure } from "#lib/errors.ts";
import { loop } from "#lib/loop.ts";
import type { Enforcement } from "#lib/policy/enforcement.ts";
import type { Core } from "../core.ts";
import { hostOf } from "../core.ts";
import { NODE } from "../host.ts";
import { makeReady } from "../node-facts.ts";
import { deniedLog } from "./denied-log.ts";
import { openPolicies, UNINFORMED } from "./policies.ts";
import { toldFlows } from "./told-flows.ts";

/** Reads everything there is, before the node's tables are made; nothing without a configuration that asks for it. */
export async function startPolicies(
  core: Core,
  { poke, signal }: { poke: () => void; signal: AbortSignal },
): Promise<void> {
  const { kubernetes, log, config } = core;
  if (kubernetes === undefined || config.policies === undefined) return;
  const host = hostOf(core, NODE);
  core.policies = openPolicies({
    source: kubernetes.source,
    log,
    clockUs: core.clockUs,
    poke,
    waits: (reason) => {
      for (const known of core.waitingFor) if (known.startsWith(UNINFORMED)) core.waitingFor.delete(known);
      if (reason !== undefined) core.waitingFor.add(reason);
    },
    kernel: host.kernel,
    audit: config.policies.audit,
    pods: core.edge?.pods,
    remakeTables: async () => {
      host.tablesFor = undefined;
      await makeReady(core, host);
    },
  });
  await core.policies.begin(core.table, signal);
  if (config.policies.logDenied) core.behind.add(tellOfDenied(core, core.policies.enforcement, signal));
}

/** How often what was denied is read. */
const DENIED_MS = 5_000;

function tellOfDenied({ log, nowMs, hosts }: Core, enforcement: Enforcement, signal: AbortSignal): Promise<void> {
  const tell = deniedLog(log, nowMs);
  const kernel = hosts.get(NODE)?.kernel;
  const once = async (): Promise<void> => {
    try {
      if (kernel !== undefined) tell(await toldFlows(kernel, enforcement, ["deny"]));
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "policies-failed", message: error.message });
    }
  };
  return loop(once, { everyMs: DENIED_MS, debounceMs: 0, signal }).done;
}
