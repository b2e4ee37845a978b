/**
 * One router, kept as it should be: looks when something has changed and once in a while, pushes the difference as one commit,
 * looks again, saves. Work on one router is never done twice at a time; `edge.ts` sees to that.
 *
 * Long, because all of it reads and changes what is known of the one router; what needs none of that is in files of its own.
 */

import { backoffMs, OPEN_AFTER } from "#lib/edge/backoff.ts";
import { type Change, type Conflict, change, isNothing } from "#lib/edge/change.ts";
import type { Dialect } from "#lib/edge/dialect.ts";
import { digestOf } from "#lib/edge/digest.ts";
import { drifted } from "#lib/edge/drift.ts";
import { beyond } from "#lib/edge/limit.ts";
import { type Line, lineOf } from "#lib/edge/path.ts";
import { linesIn, type Ownership, type Piece } from "#lib/edge/piece.ts";
import type { Pause, Push } from "#lib/edge/record.ts";
import { renamed } from "#lib/edge/renamed.ts";
import { render } from "#lib/edge/render/render.ts";
import type { EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { settled } from "#lib/edge/settled.ts";
import type { Tree } from "#lib/edge/tree.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { confirmation, confirmLate } from "./confirm.ts";
import { checkObeyed } from "./obeyed.ts";
import { observe, versionOf } from "./observe.ts";
import { carriedOut, pauseAfter, pauseFor } from "./pauses.ts";
import { isSame, type Kept, keep, kept, push, pushedEvent, tellOfEnds } from "./push.ts";
import type { PusherOptions, PusherPorts } from "./pusher-options.ts";
import { refusals } from "./refusals.ts";
import { checkRevision } from "./revisions.ts";
import { roleIn } from "./role.ts";
import {
  conflictText,
  type LastPush,
  lastPushOf,
  NOTHING_COUNTED,
  type Phase,
  pauseText,
  type RouterStatus,
  withPush,
} from "./router-status.ts";
import { takeBack } from "./take-back.ts";
import { healthOf, verified } from "./verify.ts";
import { wantedOf } from "./wanted.ts";

/** `news`: the cluster may be another. `asked`: by a person, who wants it done now, however much it takes away. */
export type Occasion = "time" | "news" | "asked";

export interface Pusher {
  readonly name: string;
  readonly status: RouterStatus;
  /** Does what is due. Reports its own failures. */
  pass(view: EdgeView, occasion?: Occasion): Promise<void>;
  /** When something is due without any news, milliseconds since the epoch. */
  readonly nextMs: number;
  /** Somebody may have paused the router, or ended its writer: it is looked at soon, unless it fails. */
  wake(): void;
  /** What a push would do now; nothing is changed. @throws SelvedgeError router, store, config-invalid */
  plan(view: EdgeView): Promise<{ readonly change: Change }>;
  /** Back to what was ours after a revision, 0: nothing; paused from then on. @throws SelvedgeError router, store, not-ready */
  rollback(view: EdgeView, revision: number): Promise<readonly Line[]>;
  /** The newest last. @throws SelvedgeError store */
  history(): Promise<readonly Push[]>;
  pause(why: string): Promise<void>;
  resume(): Promise<void>;
  /**
   * It is there no more: where this node writes to it, or nobody does, what was pushed and not saved is saved.
   * @returns why that stays as it is; undefined: nothing does @throws SelvedgeError router, store, config-invalid, not-ready
   */
  part(): Promise<string | undefined>;
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
const NOTHING_OWNED: Ownership = new Map();
const DRIFT = "somebody else has changed what is ours";

export function pusher(ports: PusherPorts, options: PusherOptions): Pusher {
  const { router, memory, writer, log, nowMs } = ports;
  const { router: name, by, driftMs } = options;
  let spec: RouterSpec | undefined;
  let state: Kept | undefined;
  let known: { readonly version: string; readonly dialect: Dialect } | undefined;
  let lastVersion: string | undefined;
  /** Steps of the last push, where it was not done, and those without which all was saved. */
  let failed: string | undefined;
  let savedWithout: string | undefined;
  let phase: Phase = "starting";
  let message = "";
  let failures = 0;
  let nextMs = 0;
  /** Since the last pass began. */
  let isWoken = false;
  /** Pushes of a daemon that ended on the way have been named as such. */
  let isTold = false;
  let lastPush: LastPush | undefined;
  /** Of what was wanted at the last look. */
  let looked: string | undefined;
  /** The last look that showed what is wanted, and a digest of that. */
  let seen: { readonly digest: string; readonly atMs: number } | undefined;
  let conflicts: readonly Conflict[] = [];
  let intruders: readonly Line[] = [];
  let counted = options.counted ?? NOTHING_COUNTED;
  let role = "";
  const refused = refusals();

  const rest = (now: Phase, why: string): void => {
    if (now !== phase && now !== "failing") log({ event: "edge-phase", router: name, phase: now, message: why });
    phase = now;
    message = why;
    nextMs = isWoken ? 0 : nowMs() + driftMs;
  };

  const fail = (error: SelvedgeError): void => {
    failures += 1;
    // The router may be another one now; a store that failed may not know how the push ended.
    known = undefined;
    isTold = false;
    role = "";
    log({ event: "edge-failed", router: name, failures, message: error.message });
    const againMs = nowMs() + backoffMs(failures, ports.random);
    if (failures < OPEN_AFTER) rest("failing", error.message);
    else rest("open", `left alone until ${timeOf(againMs)} after ${failures} failures in a row: ${error.message}`);
    nextMs = againMs;
  };

  /** A router that is another version now may take what it did not. */
  const version = async () => {
    const now = await versionOf(router);
    if (now.version !== lastVersion) refused.clear();
    lastVersion = now.version;
    return now;
  };

  /** As the router's version calls it. */
  const remembered = async () => {
    known ??= await version();
    // Every time: another node may have been the writer meanwhile.
    const { record, revision } = await kept(memory);
    state = { record: { ...record, owned: renamed(record.owned, known.dialect) }, revision };
    return { state, dialect: known.dialect };
  };

  /** @param leaves whether what somebody else has changed stays so, where it is to be reported */
  const look = async (view: EdgeView, leaves = false) => {
    const { state, dialect } = await remembered();
    spec = await options.spec();
    const wanted = wantedOf(spec, view, dialect, refused);
    const have = await observe(router, wanted, state.record.owned);
    counted = { ...counted, looks: counted.looks + 1 };
    const { owned, isUnsaved, drifted: before = [] } = state.record;
    // What a push left undone is no drift: only after a save the router had all that is ours.
    const drift = leaves ? drifted(wanted, have, isUnsaved ? NOTHING_OWNED : owned, before) : [];
    const stays = new Set(drift);
    const pieces = wanted.map((piece) => (stays.has(lineOf(piece.at)) ? { ...piece, paths: [], stays: DRIFT } : piece));
    const found = change(pieces, have, owned);
    const told = new Set([...refused.all.map(({ at }) => at), ...drift]);
    conflicts = found.conflicts.filter(({ at }) => !told.has(at));
    intruders = found.intruders;
    return {
      wanted: pieces,
      have,
      change: found,
      state,
      spec,
      dialect,
      drift,
      digest: digestOf(wanted),
    };
  };

  type Look = Awaited<ReturnType<typeof look>>;

  const confirms = () => confirmation(router, known?.dialect, options.confirmMinutes);
  const confirmAny = async (): Promise<void> => {
    if ((await confirms()) !== undefined) await confirmLate(router);
  };

  /** The router has what it should. */
  const settle = async (have: Tree, now: Kept): Promise<void> => {
    const { record } = now;
    const next = settled(record, have, nowMs());
    // What is forgotten must not come back with a reboot: somebody may have taken it away, and not saved that.
    const isUnsaved = record.isUnsaved || linesIn(next.owned) < linesIn(record.owned);
    if (isUnsaved && record.unknownMs !== undefined) await confirmAny();
    if (isUnsaved) await router.save();
    state = isSame(next, record) ? now : await keep(memory, now, next);
    failures = 0;
  };

  /** What the router does not take keeps the rest from being saved once, not for ever. */
  const saveRest = async ({ change: left, state: { record } }: Look): Promise<void> => {
    const steps = stepsOf(left);
    if (!record.isUnsaved || failed !== steps || savedWithout === steps) return;
    if (record.unknownMs !== undefined) await confirmAny();
    await router.save();
    savedWithout = steps;
  };

  /** Pushes and looks again. @throws SelvedgeError */
  const make = async (now: Kept, found: Change, wanted: readonly Piece[], why: string): Promise<Tree> => {
    phase = "pushing";
    const confirmed = await confirms();
    // A second one that waits would be an error.
    if (confirmed !== undefined && now.record.unknownMs !== undefined) await confirmLate(router);
    const pushed = await push({ router, memory, by, nowMs, ...confirmed }, now, found, { wanted, why });
    state = pushed.kept;
    failed = pushed.error === undefined ? undefined : stepsOf(found);
    for (const { piece, message: said } of pushed.refused) refused.note(piece, said);
    lastPush = lastPushOf(pushed.push);
    counted = withPush(counted, pushed.push);
    log(pushedEvent(name, pushed.push, found));
    if (pushed.error !== undefined) throw pushed.error;
    const have = await observe(router, wanted, state.record.owned);
    if (pushed.isWaiting) {
      await router.confirm();
      const { unknownMs: _, ...record } = state.record;
      const { unknownMs } = now.record;
      state = { ...state, record: { ...record, ...(unknownMs === undefined ? {} : { unknownMs }) } };
    }
    checkObeyed(name, change(wanted, have, state.record.owned));
    return have;
  };

  /** What a pause says is undone; only then its words are true. @param at as the router is now, and what had secrets before */
  const carryOut = async (
    view: EdgeView,
    pause: Pause,
    at?: { readonly now: Look; readonly before: Look },
  ): Promise<readonly Line[]> => {
    try {
      const now = at?.now ?? (await look(view));
      const { lost, refused: left } = await takeBack(pause.backTo ?? 0, now, at?.before ?? now, {
        memory,
        make: (then, back, pieces) => make(then, back, pieces, pause.why),
        settle: (have) => settle(have, state ?? now.state),
        heeded: refused.heeded,
        async see(pieces) {
          const after = state ?? now.state;
          return { state: after, have: await observe(router, pieces, after.record.owned) };
        },
      });
      const there = await carriedOut(memory, pause, left);
      if (there !== undefined) rest("paused", pauseText(there));
      // Somebody has resumed: what is wanted is made again, and its absence is no drift.
      else [phase, message, nextMs, seen] = ["starting", "", 0, undefined];
      return lost;
    } catch (error) {
      if (!isFailure(error)) throw error;
      throw new SelvedgeError(error.failure, `${pauseText(pause)}; ${error.message}`, { cause: error });
    }
  };

  /** Pushes; where more is broken by it than made, takes it back and lets a person look. @returns whether it stays */
  const makeSafely = async (found: Look, view: EdgeView, reason: string): Promise<boolean> => {
    const { verifyMs, probes } = options;
    const examined = { router, spec: found.spec, probes, reaches: ports.reaches };
    const before = verifyMs === 0 ? undefined : await healthOf(examined);
    const have = await make(found.state, found.change, found.wanted, reason);
    const pushed = { view, wanted: found.wanted, steps: found.change.steps };
    const harm = before && (await verified(examined, before, pushed, { verifyMs, wait: ports.wait, nowMs }));
    if (harm === undefined) {
      await settle(have, state ?? found.state);
      return true;
    }
    const after = state ?? found.state;
    const { revision } = after.record;
    log({ event: "edge-taken-back", router: name, revision, message: harm });
    const why = `revision ${revision} was taken back: ${harm}`;
    const pause = await pauseAfter(memory, { by, why, atMs: nowMs(), backTo: revision - 1 });
    await carryOut(view, pause, { now: { ...found, have, state: after }, before: found });
    return false;
  };

  /** What is left as somebody has changed it is remembered, also by other nodes. */
  const noted = async (now: Kept, drift: readonly Line[]): Promise<Kept> => {
    const { drifted: before = [], ...record } = now.record;
    if (drift.join() === before.join() || options.dryRun) return now;
    if (drift.length > before.length) counted = { ...counted, drifts: counted.drifts + 1 };
    state = await keep(memory, now, drift.length === 0 ? record : { ...record, drifted: drift });
    return state;
  };

  const attempt = async (view: EdgeView, asked: boolean): Promise<void> => {
    const pause = await memory.pause();
    const isLeft = pause !== undefined && (pause.backTo === undefined || options.dryRun);
    if (isLeft) return rest("paused", pauseText(pause));
    const wasPaused = phase === "paused";
    if (!(await writer.hold())) {
      isTold = false;
      return pause === undefined ? rest("standby", "") : rest("paused", pauseText(pause));
    }
    if (!isTold) lastPush = await tellOfEnds(memory);
    isTold = true;
    if (pause !== undefined) return void (await carryOut(view, pause));
    const first = await look(view, options.onDrift === "report" && !asked && !wasPaused);
    const { digest, drift } = first;
    looked = digest;
    const found = { ...first, state: await noted(first.state, drift) };
    if (!isNothing(found.change)) {
      const isDrift = seen?.digest === digest && !wasPaused;
      if (isDrift) counted = { ...counted, drifts: counted.drifts + 1 };
      const held = beyond(found.change.steps, found.wanted, found.state.record.owned, options.deleteLimit);
      if (options.dryRun)
        return rest("dry-run", `${found.change.sets.length} to set, ${found.change.deletes.length} to delete`);
      if (held !== undefined && !asked) return rest("held", `${held}; \`selvedgectl edge apply ${name}\` does it`);
      await saveRest(found);
      const why = asked ? "asked for" : wasPaused ? "resumed" : isDrift ? DRIFT : "the cluster has changed";
      if (!(await makeSafely(found, view, why))) return;
    } else await settle(found.have, found.state);
    if (drift.length > 0) return rest("drifted", `${DRIFT}: ${drift.join(", ")}`);
    seen = { digest, atMs: nowMs() };
    role = await roleIn(router, found.spec);
    const inConflict = conflicts[0];
    if (refused.all.length > 0) rest("conflict", refused.all.map((each) => each.message).join("; "));
    else if (inConflict !== undefined) rest("conflict", conflicts.map(conflictText).join("; "));
    else rest("in-sync", "");
  };

  /** Whether it should have something else than at the last look; a router that fails has its own time. */
  const isOther = (view: EdgeView): boolean =>
    known !== undefined &&
    spec !== undefined &&
    failures === 0 &&
    phase !== "paused" &&
    phase !== "standby" &&
    digestOf(refused.heeded(render(spec, view, known.dialect))) !== looked;

  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      fail(error);
    }
  };

  const beWriter = async (): Promise<void> => {
    if (await writer.hold()) return;
    throw new SelvedgeError({ kind: "not-ready" }, `node ${writer.holder ?? "?"} writes to router ${name}; ask there`);
  };

  return {
    name,
    get status() {
      return {
        phase,
        message,
        version: known?.version ?? "",
        writer: writer.holder ?? "",
        inSyncMs: seen?.atMs ?? 0,
        failures,
        nextMs,
        owned: state === undefined ? 0 : linesIn(state.record.owned),
        revision: state?.record.revision ?? 0,
        lastPush,
        isUnsaved: state?.record.isUnsaved ?? false,
        role,
        conflicts,
        intruders,
        refused: refused.all,
        counted,
      };
    },
    get nextMs() {
      return nextMs;
    },
    async pass(view, occasion = "time") {
      const asked = occasion === "asked";
      if (asked) refused.clear();
      if (!asked && nowMs() < nextMs && (occasion !== "news" || !isOther(view))) return;
      isWoken = false;
      await guarded(() => attempt(view, asked));
    },
    wake() {
      isWoken = true;
      if (failures === 0) nextMs = 0;
    },
    plan: look,
    history: memory.history,
    async rollback(view, revision) {
      if (options.dryRun)
        throw new SelvedgeError({ kind: "config-invalid", field: "edge.dryRun" }, "edge.dryRun: nothing is pushed");
      await beWriter();
      await checkRevision(memory, revision);
      const why = revision === 0 ? "all was taken back" : `back at revision ${revision}`;
      const pause: Pause = { by, why, atMs: nowMs(), backTo: revision };
      await memory.putPause(pause);
      try {
        return await carryOut(view, pause);
      } catch (error) {
        // It is still to be done, and is tried again like everything else.
        if (isFailure(error)) fail(error);
        throw error;
      }
    },
    async pause(why) {
      const pause = await pauseFor(memory, { by, why, atMs: nowMs() });
      const dueMs = nextMs;
      rest("paused", pauseText(pause));
      // What is still to be undone is tried again when it would have been.
      if (pause.backTo !== undefined) nextMs = dueMs;
    },
    async resume() {
      await memory.putPause(undefined);
      nextMs = 0;
    },
    async part() {
      if (!(await writer.hold()) || !(await kept(memory)).record.isUnsaved) return undefined;
      const pause = await memory.pause();
      if (pause !== undefined) return `it is paused ${pauseText(pause)}`;
      const { state: now } = await remembered();
      await settle(await observe(router, [], now.record.owned), now);
      return undefined;
    },
  };
}

const stepsOf = ({ steps }: Change): string => JSON.stringify(steps);
