/**
 * One router, kept as it should be: looks when something has changed and once in a while, pushes the difference as one commit,
 * looks again, saves. Work on one router is never done twice at a time; `edge.ts` sees to that.
 */
import { createHash } from "node:crypto";
import { backoffMs } from "#lib/edge/backoff.ts";
import { type Change, type Conflict, change, isNothing, present } from "#lib/edge/change.ts";
import type { Dialect } from "#lib/edge/dialect.ts";
import { before, restored } from "#lib/edge/inverse.ts";
import { beyond, type DeleteLimit } from "#lib/edge/limit.ts";
import { type Line, lineOf, type Path } from "#lib/edge/path.ts";
import { type Ownership, overlapping, type Piece } from "#lib/edge/piece.ts";
import type { Pause, Push } from "#lib/edge/record.ts";
import { render } from "#lib/edge/render/render.ts";
import type { EdgeView, RouterSpec } from "#lib/edge/router.ts";
import { endsOf, nodeAt, type Tree } from "#lib/edge/tree.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Log } from "#lib/log.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import type { Memory } from "./memory.ts";
import { observe, versionOf } from "./observe.ts";
import { type Kept, keep, kept, push } from "./push.ts";
import { roleIn } from "./role.ts";
import { conflictText, NOTHING_COUNTED, type Phase, type RouterStatus, withPush } from "./router-status.ts";
import { verified, vitals } from "./verify.ts";
import type { Writer } from "./writer.ts";

export interface PusherPorts {
  readonly router: Vyos;
  readonly memory: Memory;
  readonly writer: Writer;
  readonly log: Log;
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

export interface PusherOptions {
  /** Again at every look: a secret may have been replaced. @throws SelvedgeError config-invalid, not-ready */
  readonly spec: () => Promise<RouterSpec>;
  readonly router: string;
  /** Name of this node. */
  readonly by: string;
  readonly driftMs: number;
  readonly onDrift: "repair" | "report";
  readonly deleteLimit: DeleteLimit;
  readonly dryRun: boolean;
  /** Where the router can, it takes a commit back after so long unless it can still be read; 0: never. */
  readonly confirmMinutes: number;
  /** How long what was up before a push may be down after it; 0: nobody looks. */
  readonly verifyMs: number;
}

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
  plan(view: EdgeView): Promise<{ readonly change: Change; readonly have: Tree; readonly wanted: readonly Piece[] }>;
  /** Back to what was ours after a revision, 0: nothing; paused from then on. @throws SelvedgeError router, store, not-ready */
  rollback(view: EdgeView, revision: number): Promise<readonly Line[]>;
  /** The newest last. @throws SelvedgeError store */
  history(): Promise<readonly Push[]>;
  pause(why: string): Promise<void>;
  resume(): Promise<void>;
}

const DRIFT = "somebody else has changed what is ours";

/** A commit whose answer was lost is over after this time, ms: nginx on the router waits 600 s for it. */
const LATE_MS = 900_000;

export function pusher(ports: PusherPorts, options: PusherOptions): Pusher {
  const { router, memory, writer, log, nowMs } = ports;
  const { router: name, by, driftMs } = options;
  let spec: RouterSpec | undefined;
  let state: Kept | undefined;
  let known: { readonly version: string; readonly dialect: Dialect } | undefined;
  let phase: Phase = "starting";
  let message = "";
  let failures = 0;
  let nextMs = 0;
  /** Pushes of a daemon that ended on the way have been named as such. */
  let isTold = false;
  /** Of what was wanted at the last look. */
  let looked: string | undefined;
  /** The last look that showed what is wanted, and a digest of that. */
  let seen: { readonly digest: string; readonly atMs: number } | undefined;
  let conflicts: readonly Conflict[] = [];
  let intruders: readonly Line[] = [];
  let counted = NOTHING_COUNTED;
  let role = "";
  const refused = new Map<Line, { readonly digest: string; readonly message: string }>();

  const rest = (now: Phase, why: string): void => {
    if (now !== phase && now !== "failing") log({ event: "edge-phase", router: name, phase: now, message: why });
    phase = now;
    message = why;
    nextMs = nowMs() + driftMs;
  };

  const fail = (error: SelvedgeError): void => {
    failures += 1;
    // The router may be another one now.
    known = undefined;
    role = "";
    log({ event: "edge-failed", router: name, failures, message: error.message });
    rest("failing", error.message);
    nextMs = nowMs() + backoffMs(failures, ports.random);
  };

  const wantedOf = (of: RouterSpec, view: EdgeView, dialect: Dialect): Piece[] =>
    render(of, view, dialect).filter((piece) => {
      const before = refused.get(lineOf(piece.at));
      return before === undefined || before.digest !== digestOf([piece]);
    });

  const look = async (view: EdgeView) => {
    known ??= await versionOf(router);
    // Every time: another node may have been the writer meanwhile.
    state = await kept(memory);
    spec = await options.spec();
    const wanted = wantedOf(spec, view, known.dialect);
    const clash = overlapping(wanted);
    if (clash !== undefined)
      throw new SelvedgeError(
        { kind: "config-invalid", field: "edge.routers" },
        `router ${name}: "${lineOf(clash)}" would be there for two reasons, such as a site's network and a pool; leave one of them out`,
      );
    const have = await observe(router, wanted, state.record.owned);
    counted = { ...counted, looks: counted.looks + 1 };
    const found = change(wanted, have, state.record.owned);
    ({ conflicts, intruders } = found);
    return { wanted, have, change: found, state, spec };
  };

  /** Not where it would mean a reboot, which is what VyOS does unless it is told otherwise. */
  const confirmation = async (): Promise<{ readonly confirmMinutes: number } | undefined> => {
    const { confirmMinutes } = options;
    if (confirmMinutes === 0 || known?.dialect.confirms !== true) return undefined;
    const management = await router.read(["system", "config-management"]);
    const action = [...(nodeAt(management, ["commit-confirm", "action"])?.keys() ?? [])];
    return action[0] === "reload" ? { confirmMinutes } : undefined;
  };

  /** A commit whose answer was lost is there, and would be taken back. */
  const confirmLate = async (): Promise<void> => {
    if ((await confirmation()) === undefined) return;
    try {
      await router.confirm();
    } catch (error) {
      // Nothing waits to be confirmed: its time is over, or there never was one.
      if (!isFailure(error, "router") || !["refused", "failed"].includes(error.failure.why)) throw error;
    }
  };

  /** The router has what it should. */
  const settle = async (have: Tree, now: Kept): Promise<void> => {
    const { record } = now;
    const isOver = record.unknownMs === undefined || nowMs() - record.unknownMs > LATE_MS;
    if (record.isUnsaved && record.unknownMs !== undefined) await confirmLate();
    if (record.isUnsaved) await router.save();
    const owned = isOver ? present(record.owned, have) : record.owned;
    const { unknownMs, ...same } = record;
    const next = { ...same, owned, isUnsaved: false, ...(isOver || unknownMs === undefined ? {} : { unknownMs }) };
    state = isSame(next, record) ? now : await keep(memory, now, next);
    failures = 0;
  };

  /** Pushes and looks again. @throws SelvedgeError */
  const make = async (now: Kept, found: Change, wanted: readonly Piece[], why: string): Promise<Tree> => {
    phase = "pushing";
    const confirmMinutes = await confirmation();
    const pushed = await push({ router, memory, by, nowMs, ...confirmMinutes }, now, found, { wanted, why });
    state = pushed.kept;
    for (const { piece, message: said } of pushed.refused)
      refused.set(lineOf(piece.at), { digest: digestOf([piece]), message: said });
    const { revision, tookMs, result } = pushed.push;
    counted = withPush(counted, pushed.push);
    log({
      event: "edge-pushed",
      router: name,
      revision,
      why,
      sets: found.sets.length,
      deletes: found.deletes.length,
      result,
      tookMs,
    });
    if (pushed.error !== undefined) throw pushed.error;
    const have = await observe(router, wanted, state.record.owned);
    if (confirmMinutes !== undefined) await router.confirm();
    const left = change(wanted, have, state.record.owned);
    if (!isNothing(left))
      throw new SelvedgeError(
        { kind: "router", router: name, why: "failed" },
        `router ${name}: it has not what it was told: ${[...left.sets, ...left.deletes].slice(0, 3).map(lineOf).join(", ")}`,
      );
    return have;
  };

  type Look = Awaited<ReturnType<typeof look>>;

  /** Back to what was ours at some time. @returns lines that could not be set again */
  const goBack = async (
    was: Ownership,
    known: Iterable<Path>,
    now: Tree,
    then: Kept,
    why: string,
  ): Promise<readonly Line[]> => {
    const { pieces, lost } = restored(was, known);
    const back = change(pieces, now, then.record.owned);
    if (!isNothing(back)) await settle(await make(then, back, pieces, why), state ?? then);
    else await settle(now, then);
    return lost;
  };

  /** Pushes; where more is broken by it than made, takes it back and lets a person look. */
  const makeSafely = async (found: Look, view: EdgeView, why: string): Promise<void> => {
    const of = found.spec;
    const { verifyMs } = options;
    const before = verifyMs === 0 ? undefined : await vitals(router, of);
    const have = await make(found.state, found.change, found.wanted, why);
    const harm = await verified(router, of, before, { view, wanted: found.wanted }, { verifyMs, wait: ports.wait });
    if (harm === undefined) return settle(have, state ?? found.state);
    const after = state ?? found.state;
    const said = `revision ${after.record.revision} was taken back: ${harm}`;
    log({ event: "edge-taken-back", router: name, revision: after.record.revision, message: harm });
    await memory.putPause({ by, why: said, atMs: nowMs() });
    await goBack(present(found.state.record.owned, found.have), endsOf(found.have, []), have, after, said);
    rest("paused", `by ${by}: ${said}`);
  };

  const attempt = async (view: EdgeView, asked: boolean): Promise<void> => {
    const pause = await memory.pause();
    if (pause !== undefined) return rest("paused", `by ${pause.by}: ${pause.why}`);
    const wasPaused = phase === "paused";
    if (!(await writer.hold())) {
      isTold = false;
      return rest("standby", "");
    }
    if (!isTold) await tellOfEnds(memory);
    isTold = true;
    const found = await look(view);
    const digest = digestOf(found.wanted);
    looked = digest;
    if (!isNothing(found.change)) {
      const isDrift = seen?.digest === digest && !wasPaused;
      if (isDrift) counted = { ...counted, drifts: counted.drifts + 1 };
      const held = beyond(found.change.steps, found.wanted, found.state.record.owned, options.deleteLimit);
      if (options.dryRun)
        return rest("dry-run", `${found.change.sets.length} to set, ${found.change.deletes.length} to delete`);
      if (isDrift && options.onDrift === "report" && !asked) return rest("drifted", DRIFT);
      if (held !== undefined && !asked) return rest("held", `${held}; \`selvedgectl edge apply ${name}\` does it`);
      const why = asked ? "asked for" : wasPaused ? "resumed" : isDrift ? DRIFT : "the cluster has changed";
      await makeSafely(found, view, why);
      if (phase === "paused") return;
    } else await settle(found.have, found.state);
    seen = { digest, atMs: nowMs() };
    role = await roleIn(router, found.spec);
    const inConflict = conflicts[0];
    if (refused.size > 0) rest("conflict", [...refused.values()].map((each) => each.message).join("; "));
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
    digestOf(wantedOf(spec, view, known.dialect)) !== looked;

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
        owned: [...(state?.record.owned.values() ?? [])].reduce((n, { lines }) => n + lines.length, 0),
        revision: state?.record.revision ?? 0,
        isUnsaved: state?.record.isUnsaved ?? false,
        role,
        conflicts,
        intruders,
        refused: [...refused].map(([at, each]) => ({ at, message: each.message })),
        counted,
      };
    },
    get nextMs() {
      return nextMs;
    },
    async pass(view, occasion = "time") {
      const asked = occasion === "asked";
      if (asked) refused.clear();
      if (asked || nowMs() >= nextMs || (occasion === "news" && isOther(view)))
        await guarded(() => attempt(view, asked));
    },
    wake() {
      if (failures === 0) nextMs = 0;
    },
    plan: look,
    history: memory.history,
    async rollback(view, revision) {
      if (options.dryRun)
        throw new SelvedgeError({ kind: "config-invalid", field: "edge.dryRun" }, "edge.dryRun: nothing is pushed");
      await beWriter();
      const all = await memory.history();
      const oldest = all[0]?.revision ?? 1;
      if (revision !== 0 && revision < oldest - 1)
        throw new SelvedgeError(
          { kind: "config-invalid", field: "revision" },
          `revision: ${revision} is not kept any more; the oldest is ${oldest - 1}`,
        );
      await memory.putPause({
        by,
        why: revision === 0 ? "all was taken back" : `back at revision ${revision}`,
        atMs: nowMs(),
      });
      const found = await look(view);
      const since = all.filter((each) => each.revision > revision).flatMap(({ steps }) => steps);
      const was = revision === 0 ? new Map() : before(present(found.state.record.owned, found.have), since);
      const known = [...found.wanted.flatMap(({ paths }) => paths), ...endsOf(found.have, [])];
      const lost = await goBack(was, known, found.have, found.state, `back to revision ${revision}`);
      const pause = await memory.pause();
      rest("paused", pause === undefined ? "" : `by ${pause.by}: ${pause.why}`);
      return lost;
    },
    async pause(why) {
      const pause: Pause = { by, why, atMs: nowMs() };
      await memory.putPause(pause);
      rest("paused", `by ${by}: ${why}`);
    },
    async resume() {
      await memory.putPause(undefined);
      nextMs = 0;
    },
  };
}

/** Whoever began a push and did not tell how it ended has ended before. */
async function tellOfEnds(memory: Memory): Promise<void> {
  for (const each of await memory.history())
    if (each.result === "begun")
      await memory.putPush({ ...each, result: "unknown", message: `node ${each.by} ended before the router answered` });
}

const digestOf = (pieces: readonly Piece[]): string =>
  createHash("sha256")
    .update(JSON.stringify(pieces.map(({ paths, stays }) => [stays === undefined, ...paths.map(lineOf)])))
    .digest("hex");

const isSame = (a: Kept["record"], b: Kept["record"]): boolean =>
  JSON.stringify([a.revision, a.isUnsaved, a.unknownMs, [...a.owned.values()]]) ===
  JSON.stringify([b.revision, b.isUnsaved, b.unknownMs, [...b.owned.values()]]);
