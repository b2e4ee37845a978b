/**
 * Mirrors of attachments. What a mirror wants is added to the facts of its attachment, so it is checked, repaired, kept over
 * a restart and removed as they are; only its beginning and its end are here.
 */
import { hostLinkName, mirrorTunnelName } from "#lib/attach/names.ts";
import { type MirrorTarget, mirrorFacts, mirrorTarget } from "#lib/datapath/mirror.ts";
import { packetFilter } from "#lib/datapath/packet-filter.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Op } from "#lib/state/diff.ts";
import { type Fact, identity, type LinkFact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import type { Mirror, MirrorDirection } from "#lib/state/mirror.ts";
import type { MirrorFact } from "#lib/state/traffic-fact.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import { contested } from "./contested.ts";
import type { Core } from "./core.ts";
import { hostOf } from "./core.ts";
import { NODE } from "./host.ts";
import { addressesOf, scopeOf } from "./record.ts";

export interface MirrorWish {
  /** The interface to be mirrored: that of the attachment itself, or of one of its planes. */
  readonly key: AttachmentKey;
  readonly to: string;
  readonly direction: MirrorDirection;
  readonly filter: string;
  readonly seconds: number;
}

/** The longest that a mirror may last. */
const MOST_SECONDS = 86_400;
/** Places for mirrors on one link (lib/kernel/rtnl/mirror.ts). */
const SLOTS = 16;
const FIELD = "attachment";

/**
 * Begins to copy; the same container's verbs wait meanwhile.
 * @throws SelvedgeError config-invalid for what cannot be, conflict, kernel, store; then nothing is copied
 */
export async function startMirror(core: Core, wish: MirrorWish): Promise<{ record: AttachmentRecord; mirror: Mirror }> {
  const target = mirrorTarget(wish.to);
  const matches = packetFilter(wish.filter);
  if (!Number.isInteger(wish.seconds) || wish.seconds < 1 || wish.seconds > MOST_SECONDS)
    throw wrong("for", `for: ${wish.seconds} s is not a time from 1 s to 24 h`);
  return core.lock(wish.key.containerId, async () => {
    const record = mirrorable(core, wish.key);
    const { ifname } = wish.key;
    const link = hostLinkName(wish.key);
    const kernel = hostOf(core, NODE).kernel;
    await refuseTarget(core, record, link, target);
    const mirrors = record.mirrors ?? [];
    const slot = freeSlot(record, link);
    const tunnel = mirrorTunnelName(wish.to);
    const facts = mirrorFacts({
      target,
      direction: wish.direction,
      matches,
      link,
      slot,
      tunnel,
      alias: `selvedge mirror ${wish.to}`,
    });
    const startedMs = core.nowMs();
    const { to, direction, filter } = wish;
    const mirror: Mirror = {
      id: `${link.slice(2, 10)}-${slot}`,
      ifname,
      to,
      direction,
      filter,
      startedMs,
      untilMs: startedMs + wish.seconds * 1_000,
      facts,
    };
    const known = new Set(record.facts.map(identity));
    const fresh = facts.filter((fact) => !known.has(identity(fact)));
    const mirrored: AttachmentRecord = {
      ...record,
      facts: [...record.facts, ...fresh],
      mirrors: [...mirrors, mirror],
    };
    // Stored before the kernel is touched, as every intent is: a crash in between is repaired, and the time runs.
    await core.store.commit([{ put: "attachment", value: mirrored }]);
    core.table.put(mirrored);
    try {
      await kernel.apply(
        scopeOf(mirrored),
        fresh.map((fact): Op => ({ do: "add", fact })),
      );
    } catch (error) {
      // First, so that nothing makes the mirror: what cannot be removed now is nobody's, and a full pass removes it.
      core.table.put(record);
      await core.store.commit([{ put: "attachment", value: record }]).catch(told(core, record));
      // Reckoned after all waiting: another mirror may have begun meanwhile, and use the tunnel.
      const { ops } = parting(core, mirrored, [mirror]);
      await kernel.apply(scopeOf(record), ops).catch(told(core, record));
      throw error;
    }
    return { record: mirrored, mirror };
  });
}

/** Ends the mirror of that name. @throws SelvedgeError config-invalid: there is none; kernel, store */
export async function stopMirror(core: Core, id: string): Promise<{ record: AttachmentRecord; mirror: Mirror }> {
  const found = allMirrors(core).find(({ mirror }) => mirror.id === id);
  if (found === undefined)
    throw wrong(
      "mirror",
      `mirror: there is none of the name ${JSON.stringify(id)}`,
      "`selvedgectl mirror list` shows them.",
    );
  await ending(core, found.record, (mirror) => mirror.id === id, "stopped");
  return found;
}

/** Those whose time is over end, as lines of what was removed; one that cannot be removed now is tried again. */
export async function endExpired(core: Core): Promise<string[]> {
  const now = core.nowMs();
  const over = [...core.table].filter((record) => record.mirrors?.some(({ untilMs }) => untilMs <= now));
  const lines: string[] = [];
  for (const record of over) {
    // A verb may be waiting for another plugin; the next pass comes within a second.
    if (core.lock.held(record.containerId)) continue;
    const ended = await ending(core, record, ({ untilMs }) => untilMs <= now, "expired").catch(told(core, record));
    lines.push(...(ended ?? []));
  }
  return lines;
}

const told =
  (core: Pick<Core, "log">, { containerId: container, ifname }: AttachmentKey) =>
  (error: unknown): undefined => {
    if (!isFailure(error)) throw error;
    core.log({ event: "repair-failed", container, ifname, message: `ending a mirror: ${error.message}` });
  };

export const allMirrors = (core: Pick<Core, "table">): { record: AttachmentRecord; mirror: Mirror }[] =>
  [...core.table].flatMap((record) => (record.mirrors ?? []).map((mirror) => ({ record, mirror })));

function ending(
  core: Core,
  of: AttachmentKey,
  which: (mirror: Mirror) => boolean,
  why: "stopped" | "expired",
): Promise<string[]> {
  return core.lock(of.containerId, async () => {
    const record = core.table.get(of);
    const mirrors = record?.mirrors?.filter(which) ?? [];
    if (record === undefined || mirrors.length === 0) return [];
    const lines = await end(core, record, mirrors);
    for (const { id, ifname, to } of mirrors)
      core.log({ event: "mirror-ended", container: record.containerId, ifname, mirror: id, to, why });
    return lines;
  });
}

async function end(core: Core, record: AttachmentRecord, over: readonly Mirror[]): Promise<string[]> {
  const { left, ops } = parting(core, record, over);
  await hostOf(core, NODE).kernel.apply(scopeOf(record), ops);
  await core.store.commit([{ put: "attachment", value: left }]);
  core.table.put(left);
  return ops.map(line);
}

/** What is left of the attachment, and what is removed. A tunnel stays while another mirror uses it, of any attachment. */
function parting(
  core: Core,
  record: AttachmentRecord,
  over: readonly Mirror[],
): { left: AttachmentRecord; ops: readonly Op[] } {
  const staying = (record.mirrors ?? []).filter((mirror) => !over.includes(mirror));
  const kept = new Set(staying.flatMap(({ facts }) => facts.map(identity)));
  const leaving = new Map(
    over.flatMap(({ facts }) => facts.map((fact) => [identity(fact), fact] as const)).filter(([id]) => !kept.has(id)),
  );
  const { mirrors: _, ...rest } = record;
  const left: AttachmentRecord = {
    ...rest,
    facts: record.facts.filter((fact) => !leaving.has(identity(fact))),
    ...(staying.length === 0 ? {} : { mirrors: staying }),
  };
  const ops = [...leaving.values()]
    .filter((fact) => !contested(fact) || !core.table.isWanted(NODE, fact, record))
    .map((fact): Op => ({ do: "remove", fact }));
  return { left, ops };
}

/** @throws SelvedgeError config-invalid: no such attachment, or none whose packets pass a link of the node */
function mirrorable(core: Core, key: AttachmentKey): AttachmentRecord {
  const record = core.table.ofInterface(key);
  if (record === undefined || record.phase !== "ready")
    throw wrong(FIELD, `attachment: container ${key.containerId} has no interface ${key.ifname} here`);
  const link = hostLinkName(key);
  if (record.facts.some((fact) => fact.type === "link" && fact.at === "host" && fact.name === link)) return record;
  throw wrong(
    FIELD,
    `attachment: packets of ${key.ifname} (${record.type}) pass no link of the node, where they could be copied`,
    'Only pods attached by "ptp" or "bridge" to the node itself can be mirrored.',
  );
}

/** Copies must not come back to the link that they are copied from. */
async function refuseTarget(core: Core, record: AttachmentRecord, link: string, target: MirrorTarget): Promise<void> {
  const taken = allMirrors(core).flatMap(({ mirror }) => mirror.facts.filter((fact) => fact.type === "mirror"));
  if (target.kind !== "link") {
    const holder = [...core.table].find((each) => addressesOf(each).includes(target.remote));
    if (holder !== undefined && (holder === record || holder.mirrors !== undefined))
      throw wrong("to", `to: ${target.remote} is the address of a pod that is mirrored: its copies would be copied`);
    return;
  }
  const { name } = target;
  const [seen] = await hostOf(core, NODE).kernel.look({}, [
    { type: "link", at: "host", name, kind: "foreign", up: true } satisfies LinkFact,
  ]);
  if (seen === undefined)
    throw wrong("to", `to: the node has no link ${JSON.stringify(name)}`, "`ip -br link` lists them.");
  const own = record.facts.some(
    (fact) =>
      (fact.type === "link" &&
        fact.at === "host" &&
        (fact.name === name || (fact.name === link && fact.master === name))) ||
      (fact.type === "redirect" && fact.to === name),
  );
  if (own) throw wrong("to", `to: ${name} is where the pod's own packets pass: its copies would be copied`);
  if (taken.some((fact) => fact.link === name) || taken.some((fact) => fact.to === link))
    throw wrong("to", `to: ${name} is mirrored itself, or to this pod: copies would be copied`);
}

function freeSlot(record: AttachmentRecord, link: string): number {
  const taken = new Set(
    record.facts
      .filter((fact: Fact): fact is MirrorFact => fact.type === "mirror" && fact.link === link)
      .map(({ slot }) => slot),
  );
  for (let slot = 0; slot < SLOTS; slot++) if (!taken.has(slot)) return slot;
  throw wrong(FIELD, `attachment: it has ${SLOTS} mirrors already`, "`selvedgectl mirror stop` ends one.");
}

const wrong = (field: string, message: string, hint?: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, message, hint === undefined ? {} : { hint });
