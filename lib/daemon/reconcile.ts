/**
 * The repair loop: the same comparison as ADD, for everything that should be there already. Events only say where to
 * look; a full pass looks everywhere, and is also what finishes or undoes the work of a daemon that was killed.
 */
import { isDeepStrictEqual } from "node:util";
import { isJointLink } from "#lib/datapath/uplink.ts";
import { isWayLink } from "#lib/datapath/ways/names.ts";
import { isFailure } from "#lib/errors.ts";
import type { Change } from "#lib/kernel/kernel.ts";
import type { KeyedLock } from "#lib/lock.ts";
import { oneByOne, slices } from "#lib/slices.ts";
import { diff, lacking, type Op } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import type { AttachmentRecord, Change as StoreChange } from "#lib/store/store.ts";
import { idles, lasting } from "./contested.ts";
import { type Core, hostOf } from "./core.ts";
import { type Host, NODE } from "./host.ts";
import { jointFactsOn } from "./joints.ts";
import { endExpired } from "./mirrors.ts";
import { namespaceGone } from "./namespace-gone.ts";
import { jointLacks, lonelyFacts, makeJoints, makeWhole, nodeFacts, nodeLacks } from "./node-facts.ts";
import { partsOf } from "./parts.ts";
import { isOffPath, onPath, pathMtus } from "./path-mtu.ts";
import { hostEndsOf, scopeOf } from "./record.ts";
import { removeAttachment } from "./remove.ts";
import { removeRouters, showRouters } from "./routers.ts";
import { keyOf } from "./table.ts";

export interface Reconciler {
  /** Something changed there; the next `pass` looks at it. `undefined`: look everywhere. */
  mark(change: Change | undefined): void;
  /** Looks at what was marked and repairs it; reports its own failures. Resolves with what was done. */
  pass(): Promise<readonly string[]>;
  /** What a full pass would do now, as lines. Changes nothing. */
  plan(): Promise<string[]>;
  readonly last: { atMs: number; tookMs: number; repairs: number };
}

/** An attachment whose namespace was missing this long, with its link gone too, is taken for gone. */
const NAMESPACE_GRACE_MS = 30_000;
/** How often the switches that change silently are looked at; a full pass comes at its own, longer interval. */
export const SWITCHES_MS = 1_000;
/** Attachments that are gone through before whoever asks for something is heard. */
const AT_ONCE = 32;
/** Facts that are looked up, where that is all. */
const MANY_AT_ONCE = 2_048;
/** Lines of a repair that are logged: all that a person can read. A node that joins thousands does some ten thousand things. */
const SHOWN = 200;

export function reconciler(core: Core, locked: KeyedLock): Reconciler {
  let everything = true;
  let nftables = false;
  let node = false;
  /** The link to the others, or to the rest of the world, has changed. */
  let path = false;
  let addresses = false;
  /** What the path left when the last pass looked. */
  let before: ReturnType<typeof pathMtus> | undefined;
  /** The node's own addresses among pods, of which its firewall speaks, as they were then. */
  let among: string | undefined;
  const marked = new Map<string, AttachmentRecord>();
  /** Milliseconds since the epoch. An attachment that is made anew under the same name is another record. */
  const missingSince = new WeakMap<AttachmentRecord, number>();
  const last = { atMs: 0, tookMs: 0, repairs: 0 };
  let switchesAtMs = Number.NEGATIVE_INFINITY;

  const isRouter = (inode: number): boolean =>
    [...core.hosts.values()].some(({ router }) => router?.netnsInode === inode);

  const mark = (change: Change | undefined) => {
    if (change === undefined) everything = true;
    else if (change.where === "nftables") nftables = true;
    else if (change.where === "addresses") addresses = true;
    else if (change.where === "pod" && isRouter(change.netnsInode)) node = true;
    else if (change.where === "pod")
      for (const record of core.table.inNamespace(change.netnsInode)) marked.set(keyOf(record), record);
    else if (change.link === undefined) everything = true;
    else if (isJointLink(change.link)) node = true;
    else if (core.cluster !== undefined && isWayLink(change.link)) node = true;
    else if (change.link === core.node.uplink || core.cluster?.isUnderlay(change.link) === true) {
      path = true;
      node = true;
    } else {
      // The links of an attachment that is gone are told of while they are being deleted.
      const record = core.table.byHostLink(change.link);
      if (record !== undefined) marked.set(keyOf(record), record);
    }
  };

  /** What one attachment lacks, by host. A namespace that is gone lacks nothing that could be repaired. */
  const differences = async (record: AttachmentRecord): Promise<{ host: Host; ops: Op[] }[]> => {
    if (core.kernel.namespaceInode(record.netns) !== record.netnsInode) return [];
    const found: { host: Host; ops: Op[] }[] = [];
    for (const { host: name, facts } of partsOf(record)) {
      const host = hostOf(core, name);
      const ops = lacking(facts, await host.kernel.look(scopeOf(record), facts));
      if (ops.length > 0) found.push({ host, ops });
    }
    return found;
  };

  const repair = (record: AttachmentRecord): Promise<string[]> =>
    locked(record.containerId, async () => {
      const current = core.table.get(record);
      if (current === undefined) return [];
      if (await finished(current)) return [];
      if (current.phase !== "ready") return [];
      await followPath(current);
      const found = await differences(core.table.get(current) ?? current);
      if (found.length === 0) return [];
      const lines = found.flatMap(({ ops }) => ops.map(line));
      core.log({ event: "drift", container: current.containerId, ifname: current.ifname, lines });
      for (const { host, ops } of found) await host.kernel.apply(scopeOf(current), ops);
      return lines;
    }).catch((error: unknown) => {
      failed(record, error);
      return [];
    });

  /** Its MTU is that of the path as it is now. */
  const followPath = async (record: AttachmentRecord): Promise<void> => {
    const mtus = pathMtus(core);
    if (!isOffPath(record, mtus)) return;
    const moved = onPath(record, mtus);
    await core.store.commit([{ put: "attachment", value: moved }]);
    core.table.put(moved);
  };

  const repaired = (lines: readonly string[], tookMs: number) => {
    if (lines.length > 0) core.log({ event: "repaired", lines: lines.slice(0, SHOWN), count: lines.length, tookMs });
    last.repairs += lines.length;
  };

  const behind = (repairing: Promise<string[]>) => {
    const began = core.nowMs();
    const running: Promise<void> = repairing
      .then((lines) => repaired(lines, core.nowMs() - began))
      .finally(() => core.behind.delete(running));
    core.behind.add(running);
  };

  const failed = (record: { containerId: string; ifname: string }, error: unknown) => {
    if (!isFailure(error)) throw error;
    core.log({
      event: "repair-failed",
      container: record.containerId,
      ifname: record.ifname,
      message: error.message,
    });
  };

  /**
   * Removes what must not stay: a half-made attachment whose ADD nobody waits for any more, one whose removal was
   * interrupted, and one whose namespace is provably gone. Proof is two things seen for the whole grace: nothing (or
   * another namespace) at the path, and no host link, which only the end of the namespace takes away with its peer.
   */
  const finished = async (record: AttachmentRecord): Promise<boolean> => {
    const gone = record.phase === "ready" && (await namespaceGone(core, record));
    if (!gone) missingSince.delete(record);
    if (record.phase === "ready" && !gone) return false;
    if (gone) {
      const since = missingSince.get(record) ?? core.nowMs();
      missingSince.set(record, since);
      if (core.nowMs() - since < NAMESPACE_GRACE_MS) return false;
      core.log({
        event: "namespace-gone",
        container: record.containerId,
        ifname: record.ifname,
        network: record.network,
      });
    }
    await removeAttachment(core, record);
    return true;
  };

  const repairHost = async (host: Host): Promise<string[]> => (await makeWhole(core, host)).map(line);

  /** Carries our mark, and nobody wants it: left by a daemon that was killed, or made by hand. */
  const strays = async (host: Host, areElementsListed = true): Promise<Op[]> => {
    // What leads to other nodes is nobody's until it is known who they are; tunnels of segments are in routers, too.
    const { cluster } = core;
    if (cluster !== undefined && !(cluster.informed && cluster.areSegmentsKnown)) return [];
    if (host.name === NODE && core.policies?.isInformed === false) return [];
    const owned = (await host.kernel.owned()).filter((fact) => (!lasting(fact) || idles(fact)) && !isNode(fact));
    // Nearly all elements may be those of policies.
    const isPolicy = (fact: Fact): boolean =>
      fact.type === "element" && host.name === NODE && core.policies?.wants(fact) === true;
    if (areElementsListed)
      for await (const part of host.kernel.elements()) owned.push(...part.filter((fact) => !isPolicy(fact)));
    const unknown = new Set<string>();
    for await (const fact of oneByOne(owned, MANY_AT_ONCE)) unknown.add(identity(fact));
    // Nearly always nothing is left then; it is enough that somebody wanted it after what stands was listed.
    for await (const fact of oneByOne(wantedOn(host), MANY_AT_ONCE)) unknown.delete(identity(fact));
    if (unknown.size === 0) return [];
    // At once: what came meanwhile is not taken for nobody's.
    for (const fact of wantedOn(host)) unknown.delete(identity(fact));
    return owned
      .filter((fact) => unknown.has(identity(fact)) && !isPolicy(fact))
      .map((fact): Op => ({ do: "remove", fact }));
  };

  /** Everything that is to be on the host, but for policies. */
  const wantedOn = (host: Host): Fact[] => [
    ...nodeFacts(core, host),
    ...jointFactsOn(core, host.name),
    ...[...core.table].flatMap((record) =>
      partsOf(record).flatMap((part) => (part.host === host.name ? part.facts.filter(({ at }) => at === "host") : [])),
    ),
  ];

  /** What idles, looked for again and removed, unless an ADD is at work that may have found it standing. */
  const clearIdle = async (host: Host): Promise<Op[]> => {
    const removed: Op[] = [];
    await host.building.alone(async () => {
      removed.push(...(await strays(host, false)).filter(({ fact }) => idles(fact)));
      await host.kernel.apply({}, removed);
    });
    return removed;
  };

  /**
   * Switches that the kernel changes without telling anybody: those of the node, and route_localnet of the links that
   * host ports need it on.
   */
  const lookAtSwitches = async (host: Host): Promise<string[]> => {
    const switches = lonelyFacts(core, host).filter((fact) => fact.type === "sysctl");
    if (diff(switches, await host.kernel.look({}, switches)).length > 0) node = true;
    const published = [...core.table].flatMap((record) =>
      hostEndsOf(record)
        .filter((end) => end.host === host.name && end.link.routeLocalnet === true)
        .map(({ link }) => ({ record, link })),
    );
    for await (const some of slices(published, AT_ONCE)) {
      const seen = await host.kernel.look(
        {},
        some.map(({ link }) => link),
      );
      const right = new Set(
        seen.flatMap((fact) => (fact.type === "link" && fact.routeLocalnet === true ? [fact.name] : [])),
      );
      for (const { record, link } of some) if (!right.has(link.name)) marked.set(keyOf(record), record);
    }
    return [];
  };

  const onEachHost = async (work: (host: Host) => Promise<string[]>): Promise<string[]> => {
    const lines: string[] = [];
    for (const host of core.hosts.values()) lines.push(...(await guarded(() => work(host))));
    return lines;
  };

  const sweep = async () => {
    const { coolDowns, pools } = core.ipam.sweep();
    if (coolDowns.length + pools.length === 0) return;
    await core.store.commit([
      ...coolDowns.map((c): StoreChange => ({ remove: "coolDown", pool: c.pool, address: c.address })),
      ...pools.map((name): StoreChange => ({ remove: "pool", name })),
    ]);
  };

  /**
   * What the machine is like now. Where the kernel does not tell, what is known stays until the next pass asks again.
   * @param isPath of the ways to other nodes more may be otherwise than is said there
   */
  const learn = (isPath: boolean): Promise<string[]> =>
    guarded(async () => {
      const known = core.node;
      try {
        core.node = await core.kernel.facts();
      } catch (error) {
        path = true;
        throw error;
      }
      const isOther = !isDeepStrictEqual(core.node, known);
      if (isOther) node = true;
      if (isOther || isPath) core.cluster?.refresh(core.node);
      return [];
    });

  const guarded = async (work: () => Promise<string[]>): Promise<string[]> => {
    try {
      return await work();
    } catch (error) {
      failed({ containerId: "", ifname: "" }, error);
      return [];
    }
  };

  return {
    last,
    mark,
    async pass() {
      const began = core.nowMs();
      // Every mark is taken off where it is read: one that is made while the pass waits is the next one's.
      const isEverythingMarked = everything;
      everything = false;
      const all = isEverythingMarked || began - last.atMs >= core.config.reconcile.everySeconds * 1_000;
      // Events bring passes ten times a second where pods come and go: not all of them are to look at every pod.
      if (!all && began - switchesAtMs >= SWITCHES_MS / 2) {
        switchesAtMs = began;
        await onEachHost(lookAtSwitches);
      }
      const isPathMarked = path;
      path = false;
      const areAddressesMarked = addresses;
      addresses = false;
      if (all || isPathMarked || areAddressesMarked) await learn(all || isPathMarked);
      const mtus = pathMtus(core);
      // In a cluster the other nodes have a say in it.
      if (all || isPathMarked || mtus.path !== before?.path || mtus.segment !== before.segment)
        for (const record of core.table) if (isOffPath(record, mtus)) marked.set(keyOf(record), record);
      before = mtus;
      const amongNow = core.cluster?.record.tunnelAddresses.join();
      if (amongNow !== among) node = true;
      among = amongNow;
      const targets = all || nftables ? [...core.table] : [...marked.values()];
      const wholeNode = all || nftables || node;
      const areElementsTouched = isEverythingMarked || nftables;
      const areElementsListed = areElementsTouched || core.policies?.isRoundOver !== false;
      nftables = false;
      node = false;
      marked.clear();
      const lines: string[] = [...(await guarded(() => endExpired(core)))];
      if (all) {
        await guarded(async () => {
          await sweep();
          return [];
        });
      }
      lines.push(...(await guarded(async () => showRouters(core))));
      if (all) lines.push(...(await guarded(() => removeRouters(core))));
      lines.push(...(await guarded(async () => ((await core.cluster?.settle()) ?? []).map(line))));
      if (wholeNode) {
        lines.push(...(await onEachHost(repairHost)));
        lines.push(...(await makeJoints(core)).map(line));
      }
      if (wholeNode || core.policies?.isDoubtful === true) {
        const repairPolicies = areElementsTouched ? core.policies?.repairAll : core.policies?.repairShare;
        lines.push(...(await guarded(async () => ((await repairPolicies?.()) ?? []).map(line))));
      }
      for await (const record of oneByOne(targets, 1)) {
        // A verb may be waiting for another plugin: then the repair takes its turn behind it, and the loop goes on.
        if (locked.held(record.containerId)) behind(repair(record));
        else lines.push(...(await repair(record)));
      }
      if (all)
        lines.push(
          ...(await onEachHost(async (host) => {
            const found = await strays(host, host.name !== NODE || areElementsListed);
            const ops = found.filter(({ fact }) => !idles(fact));
            await host.kernel.apply({}, ops);
            const idle = ops.length < found.length ? await clearIdle(host) : [];
            return [...ops, ...idle].map(line);
          })),
        );
      const tookMs = core.nowMs() - began;
      repaired(lines, tookMs);
      if (all) {
        last.atMs = began;
        last.tookMs = tookMs;
      }
      return lines;
    },
    async plan() {
      const ops: Op[] = [];
      for (const host of core.hosts.values()) ops.push(...(await nodeLacks(core, host)));
      ops.push(...((await core.policies?.lacks()) ?? []));
      ops.push(...(await jointLacks(core)));
      for await (const record of oneByOne(core.table, 1))
        if (record.phase === "ready") ops.push(...(await differences(record)).flatMap((found) => found.ops));
      for (const host of core.hosts.values()) ops.push(...(await strays(host)));
      return ops.map(line);
    },
  };
}

const isNode = (fact: Fact): boolean => fact.type === "table" || fact.type === "sysctl";
