/**
 * Taking an attachment away: the one way for DEL, for GC, for an ADD that failed, and for what a crash left behind.
 * Every part may be missing already; none of that is an error.
 */

import { isFailure } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { AttachmentRecord, Change } from "#lib/store/store.ts";
import { contested, lasting } from "./contested.ts";
import type { Core } from "./core.ts";
import { delegationOfRecord } from "./delegated.ts";
import { leaseKeys, type Part, partsOf } from "./parts.ts";
import { addressesOf, scopeOf } from "./record.ts";
import type { Recording } from "./trace.ts";

/**
 * After this the attachment is off the network, its addresses are cooling down and nothing remembers it.
 * `alsoCommit` is made durable in the same transaction.
 *
 * @throws SelvedgeError kernel, delegate or store: the attachment stays known, in phase `deleting`, and keeps its
 * addresses; the reconcile loop, the next DEL or the next ADD of the same container goes on.
 */
export async function removeAttachment(
  core: Core,
  record: AttachmentRecord,
  { trace, alsoCommit = [] }: { trace?: Recording; alsoCommit?: readonly Change[] } = {},
): Promise<void> {
  const leaving: AttachmentRecord = { ...record, phase: "deleting" };
  core.table.put(leaving);
  const delegated = delegationOfRecord(record, "DEL");
  // The other plugin may give its addresses away before we have forgotten the attachment: it must not be repaired then.
  if (delegated !== undefined) await core.store.commit([{ put: "attachment", value: leaving }]);

  for (const part of partsOf(record)) {
    const ops = removal(core, record, part).filter(({ fact }) => fact.at === "pod" || core.hosts.has(part.host));
    await kernelFor(core, part).apply(scopeOf(record), ops);
    trace?.performed(ops);
  }
  await core.policies?.release(record);
  trace?.ended("off-network");

  if (delegated !== undefined) {
    await core.delegate(delegated).catch((error: unknown) => {
      // It failed the ADD too, or is not even installed: SPEC "Delegated Plugins" asks for the DEL, not for its success.
      if (!isFailure(error, "delegate", "config-invalid") || addressesOf(record).length > 0) throw error;
    });
    trace?.ended("delegated");
  }

  const keys = leaseKeys(record);
  const ending = keys.map((key) => core.ipam.ending(key));
  await core.store.commit([
    { remove: "attachment", key: { containerId: record.containerId, ifname: record.ifname } },
    ...ending.flatMap(({ leases, coolDowns }) => [
      ...leases.map((l): Change => ({ remove: "lease", pool: l.pool, address: l.address })),
      ...coolDowns.map((value): Change => ({ put: "coolDown", value })),
    ]),
    ...alsoCommit,
  ]);
  for (const key of keys) core.ipam.release(key);
  core.table.remove(record);
  trace?.ended("forgotten");

  for (const { host } of partsOf(record)) core.hosts.get(host)?.connections.forget(record);
}

/** A router that is gone has taken along what was on it; into the pod the node sees as well. */
const kernelFor = ({ hosts, kernel }: Core, { host }: Part): Kernel => hosts.get(host)?.kernel ?? kernel;

/**
 * Operations that take what is this attachment's alone off one host. The pod's end of a pair goes with the host's; what
 * does not is taken out of the pod, which may live on: a link without an end on the host, and routing rules.
 */
function removal(core: Core, record: AttachmentRecord, { host, facts }: Part): Op[] {
  const others = interfacesOfOthers(core, record);
  return facts
    .filter((fact) => (fact.at === "host" && !lasting(fact)) || (staysInPod(fact) && !isOf(others, fact)))
    .filter((fact) => !contested(fact) || !core.table.isWanted(host, fact, record))
    .map((fact): Op => ({ do: "remove", fact }));
}

/**
 * The kernel gives the number of a namespace that has ended to the next one, and a path may lead there too: then a late
 * DEL finds a namespace that looks like its own, with the link of another container.
 */
const interfacesOfOthers = ({ table }: Core, { containerId, netnsInode }: AttachmentRecord): ReadonlySet<string> =>
  new Set(
    (netnsInode === undefined ? [] : table.inNamespace(netnsInode))
      .filter((other) => other.containerId !== containerId)
      .flatMap(leaseKeys)
      .map(({ ifname }) => ifname),
  );

const isOf = (interfaces: ReadonlySet<string>, fact: Fact): boolean =>
  fact.type === "link" && interfaces.has(fact.name);

const staysInPod = (fact: Fact): boolean =>
  fact.at === "pod" &&
  (fact.type === "rule" ||
    fact.type === "rdma" ||
    (fact.type === "link" && fact.kind !== "veth" && fact.kind !== "loopback"));
