/** CHECK: the empty diff, over everything that ADD made. */
import { parseNetConf } from "#lib/cni/netconf.ts";
import { refuseOwnNamespace } from "#lib/cni/preflight.ts";
import type { Request } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { diff } from "#lib/state/diff.ts";
import { line } from "#lib/state/line.ts";
import { type Core, hostOf } from "./core.ts";
import { delegationOf, delegationOfRecord } from "./delegated.ts";
import { NODE } from "./host.ts";
import { jointLacks, nodeLacks } from "./node-facts.ts";
import { leaseKeys, partsOf } from "./parts.ts";
import { addressesOf, scopeOf } from "./record.ts";

/** @throws SelvedgeError drift with the operations that would repair it; delegate; namespace-gone */
export async function check(core: Core, request: Request): Promise<void> {
  parseNetConf("CHECK", request.config, request.args, request.ifname);
  const record = core.table.get(request);
  if (record === undefined || record.phase !== "ready")
    throw drifted(`container ${request.containerId} has no attachment ${request.ifname} here`, []);
  const inode = core.kernel.namespaceInode(request.netns);
  refuseOwnNamespace({ netnsInode: inode ?? 0, allowOwnNetns: request.allowOwnNetns }, core.ownNetnsInode);
  if (inode === undefined || inode !== record.netnsInode)
    throw new SelvedgeError(
      { kind: "namespace-gone", path: request.netns },
      `CNI_NETNS: ${request.netns} is ${inode === undefined ? "no network namespace" : "another namespace than the one attached"}`,
    );
  // As it was attached: by a version, maybe, that has no CHECK.
  const leases = delegationOfRecord(record, "ADD") === undefined && !record.chained ? addressesOf(record) : [];
  const lines = core.ipam.missing(leaseKeys(record), leases);
  for (const part of partsOf(record)) {
    const host = hostOf(core, part.host);
    const ofPolicies = host.name === NODE ? (core.policies?.elementsOf(record) ?? []) : [];
    const [there, policiesThere] = await Promise.all([
      host.kernel.look(scopeOf(record), part.facts),
      host.kernel.look({}, ofPolicies),
    ]);
    const missing = [...diff(part.facts, there), ...diff(ofPolicies, policiesThere), ...(await nodeLacks(core, host))];
    lines.push(...missing.map(line));
  }
  const tenants = new Set(partsOf(record).map(({ host }) => host));
  lines.push(...(await jointLacks(core, tenants)).map(line));
  if (lines.length > 0)
    throw drifted(
      `${record.containerId} ${record.ifname} is not as it was attached: ${lines.length} differences`,
      lines,
    );
  const delegated = record.chained ? undefined : delegationOf(request, "CHECK");
  if (delegated !== undefined) await core.delegate(delegated);
}

const drifted = (message: string, lines: readonly string[]): SelvedgeError =>
  new SelvedgeError({ kind: "drift", lines }, message);
