/**
 * ADD: lease, store the intent, touch the kernel, remember the result. Whatever fails on the way is taken back by the
 * same function that DEL uses, and a crash in between by the reconcile loop.
 */
import { parseNetConf } from "#lib/cni/netconf.ts";
import { refuseOwnNamespace } from "#lib/cni/preflight.ts";
import { renderResult } from "#lib/cni/result.ts";
import type { NetConf, Request } from "#lib/cni/types.ts";
import { hostPortClaims } from "#lib/datapath/host-ports.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { AttachmentRecord, Change, PlaneRecord } from "#lib/store/store.ts";
import { refusePlanesBehind } from "./asked-planes.ts";
import { isHostPort, lasting } from "./contested.ts";
import { type Core, hostOf } from "./core.ts";
import { decideChained } from "./decide.ts";
import { decideOwn } from "./decide-own.ts";
import { withClaims } from "./device.ts";
import { type Probe, refuseDuplicates, restsOnAddress } from "./duplicates.ts";
import { leavingOf } from "./egress-rule.ts";
import type { Host } from "./host.ts";
import { hostEndStands } from "./host-end.ts";
import { annotated } from "./kubernetes/annotated.ts";
import { askedDefinitions, selectedPlanes } from "./kubernetes/selected.ts";
import { makeReady } from "./node-facts.ts";
import { refuseRivals } from "./parent.ts";
import { leaseKeys, type Part, partsOf } from "./parts.ts";
import { type Plane, planesOf } from "./planes.ts";
import { hostEndsOf, scopeOf } from "./record.ts";
import { removeAttachment } from "./remove.ts";
import type { Recording } from "./trace.ts";

/**
 * @returns the CNI result as JSON in the configuration's version
 * @throws SelvedgeError of nearly every kind; then nothing of the attachment is left, or the reconcile loop knows of it
 */
export async function add(core: Core, given: Request, trace: Recording, signal: AbortSignal): Promise<string> {
  const parsed = parseNetConf("ADD", given.config, given.args, given.ifname);
  const request = await annotated(core, given, parsed);
  const conf = request === given ? parsed : parseNetConf("ADD", request.config, request.args, request.ifname);
  const asked = await askedDefinitions(core, request, conf);
  if (conf.prevResult !== undefined) refusePlanesBehind(conf, asked);
  const netnsInode = namespaceOf(core, request);
  trace.ended("parsed");

  const before = core.table.get(request);
  if (before !== undefined) await makeRoom(core, before, netnsInode);

  // From here until the table knows of the attachment nothing waits: a network that goes is kept for its users.
  const planes = conf.prevResult === undefined ? planesOf(core, request, conf, selectedPlanes(core, conf, asked)) : [];
  const intent = intentOf(core, request, conf, { netnsInode, planes });
  const progress: Progress = { stored: false, record: intent };
  try {
    return await attach(core, intent, conf, { planes, trace, signal, progress });
  } catch (error) {
    await takeBack(core, progress);
    throw error;
  }
}

/** The namespace must be there, be the one that the plugin saw, and not be the node's own unless that was asked for. */
function namespaceOf(core: Core, request: Request): number {
  const inode = core.kernel.namespaceInode(request.netns);
  if (inode === undefined)
    throw new SelvedgeError(
      { kind: "namespace-gone", path: request.netns },
      `CNI_NETNS: no network namespace at ${request.netns}`,
      {
        hint: "If the path exists on the node, the daemon does not see it: mount it into the daemon's container with mountPropagation HostToContainer.",
      },
    );
  if (request.netnsInode !== 0 && request.netnsInode !== inode)
    throw new SelvedgeError(
      { kind: "namespace-gone", path: request.netns },
      `CNI_NETNS: the daemon sees another namespace at ${request.netns} than the plugin (inode ${inode}, not ${request.netnsInode})`,
      { hint: "The directory must be mounted into the daemon's container with mountPropagation HostToContainer." },
    );
  refuseOwnNamespace({ netnsInode: inode, allowOwnNetns: request.allowOwnNetns }, core.ownNetnsInode);
  return inode;
}

/**
 * An attachment of that key is known. One that is alive is an error (SPEC section ADD); what is left of one that never
 * got ready, or whose namespace was replaced, is removed first.
 */
async function makeRoom(core: Core, before: AttachmentRecord, netnsInode: number): Promise<void> {
  const alive =
    before.phase === "ready" &&
    before.netnsInode === netnsInode &&
    (hostEndsOf(before).length === 0 || (await hostEndStands(core, before)));
  if (alive)
    throw new SelvedgeError(
      { kind: "interface-exists", name: before.ifname },
      `container ${before.containerId} is attached to network ${before.network} by ${before.ifname} already`,
      { hint: "DEL it first, or choose another CNI_IFNAME." },
    );
  await removeAttachment(core, before);
}

const intentOf = (
  core: Core,
  request: Request,
  conf: NetConf,
  { netnsInode, planes }: { netnsInode: number; planes: readonly Plane[] },
): AttachmentRecord => ({
  containerId: request.containerId,
  ifname: request.ifname,
  network: conf.name,
  phase: "adding",
  netns: request.netns,
  netnsInode,
  type: planes[0]?.settings.plan.type ?? "chained",
  chained: conf.prevResult !== undefined,
  config: Buffer.from(request.config).toString(),
  args: request.args,
  path: request.path,
  facts: [],
  ...(planes.length > 1 ? { planes: planes.map(recordOf) } : {}),
  ...(conf.pod === undefined ? {} : { pod: conf.pod }),
  createdMs: core.nowMs(),
});

const recordOf = ({ key, conf, settings, definition, defaultRoute }: Plane, i: number): PlaneRecord => ({
  name: conf.network ?? definition ?? conf.name,
  ifname: key.ifname,
  type: settings.plan.type,
  ...(settings.tenant === undefined ? {} : { tenant: settings.tenant }),
  ...(definition === undefined ? {} : { definition }),
  ...((defaultRoute ?? i === 0) ? { leads: true } : {}),
});

/** How far an ADD came: until its intent is stored, the kernel and other plugins know nothing of it. */
interface Progress {
  stored: boolean;
  /** What there is to take back. The table's has claims of devices besides, which nothing has been made of. */
  record: AttachmentRecord;
}

interface Circumstances {
  /** None when chained. */
  readonly planes: readonly Plane[];
  readonly trace: Recording;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function attach(
  core: Core,
  intent: AttachmentRecord,
  conf: NetConf,
  { planes, trace, signal, progress }: Circumstances,
): Promise<string> {
  core.table.put(intent);
  const prepare = async (bare: AttachmentRecord): Promise<void> => {
    core.table.put(withClaims(core, bare));
    progress.record = bare;
    await core.store.commit([{ put: "attachment", value: bare }]);
    progress.stored = true;
    for (const part of partsOf(bare)) await build(core, bare, part);
  };
  const { whole, changes } =
    conf.prevResult === undefined
      ? await decideOwn(core, intent, planes, { trace, prepare })
      : {
          whole: { ...decideChained(intent, conf, conf.prevResult, leavingOf(core.config, conf)), probes: [] },
          changes: [],
        };
  const { result, probes, ...facts } = whole;
  const record: AttachmentRecord = { ...intent, ...facts, result: JSON.stringify(result) };
  refuseHeldPorts(core, record);
  refuseRivals(core, record);
  core.table.put(record);
  progress.record = record;
  trace.ended("decided");

  await core.store.commit([{ put: "attachment", value: record }, ...changes]);
  progress.stored = true;
  trace.ended("intent-stored");

  await core.policies?.hold(record);
  for (const part of partsOf(record)) trace.performed(await build(core, record, part, probes));
  trace.ended("kernel-applied");

  if (signal.aborted)
    throw new SelvedgeError({ kind: "deadline" }, "the runtime gave up before the attachment was ready");
  const ready: AttachmentRecord = { ...record, phase: "ready" };
  await core.store.commit([{ put: "attachment", value: ready }, ...keptBy(core, ready)]);
  for (const key of leaseKeys(ready)) core.ipam.kept(key);
  core.table.put(ready);
  trace.ended("ready-stored");
  for (const { host } of partsOf(ready)) hostOf(core, host).connections.forgetPorts(ready);
  core.kubernetes?.statuses?.want(ready);
  return JSON.stringify(renderResult(result, conf.cniVersion));
}

/** Reservations that it made by being attached. */
const keptBy = (core: Core, record: AttachmentRecord): Change[] =>
  leaseKeys(record).flatMap((key) => core.ipam.keeping(key).map((value) => ({ put: "reservation", value })));

/** @throws SelvedgeError conflict naming the holder */
function refuseHeldPorts(core: Core, record: AttachmentRecord): void {
  const ports = partsOf(record).flatMap(({ host, facts }) => facts.filter(isHostPort).map((fact) => ({ host, fact })));
  for (const { host, fact } of ports) {
    const holder = core.table.holder(host, fact, record);
    if (holder === undefined) continue;
    const what = hostPortClaims([fact])[0] ?? "";
    throw new SelvedgeError(
      { kind: "conflict", what },
      `host port ${what} is held by container ${holder.containerId}${holder.pod === undefined ? "" : ` (${holder.pod})`}`,
      { hint: "Stop that pod, or choose another hostPort." },
    );
  }
}

/** Makes what the attachment wants of one host, and what that host itself lacks. */
const build = (core: Core, record: AttachmentRecord, part: Part, probes: readonly Probe[] = []): Promise<Op[]> => {
  const host = hostOf(core, part.host);
  return host.building.together(() => buildOn(core, host, record, part, probes));
};

async function buildOn(
  core: Core,
  host: Host,
  record: AttachmentRecord,
  part: Part,
  probes: readonly Probe[],
): Promise<Op[]> {
  await makeReady(core, host, part.facts);
  const ops = await missing(host, part);
  if (probes.length > 0) {
    await host.kernel.apply(
      scopeOf(record),
      ops.filter(({ fact }) => !restsOnAddress(fact)),
    );
    await refuseDuplicates({ kernel: host.kernel, log: core.log }, record, part.facts, probes);
  }
  await host.kernel.apply(scopeOf(record), probes.length > 0 ? ops.filter(({ fact }) => restsOnAddress(fact)) : ops);
  return ops;
}

/**
 * What is still to be made: all of the attachment's own, which cannot be there yet, and whatever lacks of what it
 * shares with others.
 */
async function missing({ kernel }: Host, { facts }: Part): Promise<Op[]> {
  const common = facts.filter(lasting);
  const there = common.length === 0 ? [] : await kernel.look({}, common);
  const own = facts.filter((fact) => !lasting(fact)).map((fact): Op => ({ do: "add", fact }));
  return [...lacking(common, there), ...own];
}

/** Nothing of a failed ADD stays. What cannot be removed now stays known, in phase `deleting`, for the reconcile loop. */
async function takeBack(core: Core, { stored, record }: Progress): Promise<void> {
  if (!stored) {
    for (const key of leaseKeys(record)) core.ipam.cancel(key);
    core.table.remove(record);
    return;
  }
  await removeAttachment(core, record).catch((error: unknown) => {
    if (!isFailure(error)) throw error;
    core.log({
      event: "repair-failed",
      container: record.containerId,
      ifname: record.ifname,
      message: `taking back a failed ADD: ${error.message}`,
    });
  });
}
