/** Policies joined to the node: its kernel, its tables, its attachments. */
import type { Core } from "../core.ts";
import { hostOf } from "../core.ts";
import { NODE } from "../host.ts";
import { makeReady } from "../node-facts.ts";
import { openPolicies } from "./policies.ts";

/** Reads everything there is, before the node's tables are made; nothing without a configuration that asks for it. */
export async function startPolicies(
  core: Core,
  { poke, signal }: { poke: () => void; signal: AbortSignal },
): Promise<void> {
  const { objects: source, log, config } = core;
  if (source === undefined || config.policies === undefined) return;
  const host = hostOf(core, NODE);
  core.policies = openPolicies({
    source,
    log,
    clockUs: core.clockUs,
    poke,
    kernel: host.kernel,
    audit: config.policies.audit,
    remakeTables: async () => {
      host.tablesFor = undefined;
      await makeReady(core, host);
    },
  });
  await core.policies.begin(core.table, signal);
}
