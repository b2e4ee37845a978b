/**
 * One router for as long as the configuration has it. Whoever works on it does so alone; its settings become others in
 * between, and once it is there no more this node stops being its writer, and nothing of it is left here.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { NodeId } from "#lib/cluster/records.ts";
import type { Edge as EdgeConfig, EdgeRouter } from "#lib/config/edge.ts";
import type { Reaches } from "#lib/echo/tcp.ts";
import { backoffMs, OPEN_AFTER } from "#lib/edge/backoff.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { KeyedLock } from "#lib/lock.ts";
import { loop } from "#lib/loop.ts";
import type { SharedChange } from "#lib/store/shared.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import type { Core } from "../core.ts";
import type { Calling } from "./called.ts";
import { edgeKey, type Keeper, memory } from "./memory.ts";
import { withConnected } from "./observe.ts";
import { type Pusher, pusher } from "./pusher.ts";
import { type Counted, type Phase, type RouterStatus, stateOf } from "./router-status.ts";
import { type SecretFrom, specOf } from "./spec.ts";
import { arePodsKnown, edgeView, isKnown, type Knowing } from "./view.ts";
import { askedKey, writer } from "./writer.ts";

/** How a router is reached, and the secrets that go with it; named only by cmd/. */
export type OpenRouter = (router: EdgeRouter) => OpenedRouter;

export interface OpenedRouter {
  readonly vyos: Vyos;
  readonly secretFrom: SecretFrom;
  readonly reaches: Reaches;
}

/** A router with its settings of the moment. */
export interface EdgeRouterHandle {
  readonly config: EdgeRouter;
  readonly pusher: Pusher;
  readonly status: RouterStatus;
  readonly vyos: Vyos;
  /** As it is now, with its secrets. @throws SelvedgeError config-invalid, not-ready, router */
  spec(): Promise<RouterSpec>;
  /** Since when news wait to be pushed, milliseconds since the epoch; undefined: none do. */
  readonly waitingSinceMs: number | undefined;
  /** This node becomes the one that writes to it. @throws SelvedgeError store, not-ready */
  beWriter(): Promise<void>;
}

export interface RouterSettings {
  readonly router: EdgeRouter;
  /** Of all routers. */
  readonly common: Omit<EdgeConfig, "routers">;
}

export interface Driven {
  /** Undefined: it is there no more. */
  readonly handle: EdgeRouterHandle | undefined;
  /** For FRR; undefined: it is not called by that, or is there no more. */
  readonly calling: Calling | undefined;
  /** What is under way ends before others hold. @param settings undefined: it is there no more */
  become(settings: RouterSettings | undefined): void;
  /** Work on the router, when nobody else works on it. @throws SelvedgeError config-invalid: it is there no more */
  alone<T>(work: (router: EdgeRouterHandle) => Promise<T>): Promise<T>;
  /** The cluster may be another. */
  poke(): void;
  heed(change: SharedChange): void;
  /** Follows until the signal, or until it is there no more and nothing of it is left here. */
  run(signal: AbortSignal): Promise<void>;
  /** Lets another node be the writer. @throws SelvedgeError store */
  release(): Promise<void>;
}

export type DrivenCore = Knowing & Pick<Core, "log" | "nowMs">;

export interface DrivenOptions {
  readonly open: OpenRouter;
  readonly keeper: Keeper;
  readonly self: NodeId;
  readonly lock: KeyedLock;
  /** What is told of it is another. */
  readonly onState: () => void;
  /** It is there no more, and nothing of it is left here. */
  readonly onOver: () => void;
}

/** News are nothing to these. */
const IDLE: ReadonlySet<Phase> = new Set(["standby", "paused"]);
const TICK_MS = 1_000;
const NOT_TRIED = { failures: 0, againMs: 0 };

export function driven(core: DrivenCore, first: RouterSettings, options: DrivenOptions): Driven {
  const { nowMs } = core;
  const { open, keeper, self, lock, onState, onOver } = options;
  const { name } = first.router;
  const elected = writer(keeper, name, self);
  const over = new AbortController();
  let waitingSinceMs: number | undefined;
  /** It has not been told of the newest changes. */
  let isBehind = true;
  /** Another node asks for it, maybe. */
  let isAsked = true;
  /** Since it is there no more: tries to have saved what was pushed last. */
  let parting = NOT_TRIED;
  let wake = (): void => {};

  const opened = (settings: RouterSettings): Opened => ({ settings, opened: open(settings.router) });
  const made = ({ settings: { router, common }, opened: by }: Opened, counted?: Counted): EdgeRouterHandle => {
    const { vyos, secretFrom, reaches } = by;
    const spec = async (): Promise<RouterSpec> => withConnected(vyos, await specOf(router, common.pairs, secretFrom));
    const one = pusher(
      {
        router: vyos,
        memory: memory(keeper, name),
        writer: elected,
        log: core.log,
        nowMs,
        random: Math.random,
        wait: (ms) => sleep(ms),
        reaches,
      },
      {
        spec,
        router: name,
        by: self.node,
        driftMs: common.driftSeconds * 1_000,
        onDrift: common.onDrift,
        deleteLimit: common.deleteLimit,
        dryRun: common.dryRun,
        confirmMinutes: common.confirmMinutes,
        verifyMs: common.verifySeconds * 1_000,
        probes: router.probes,
        ...(counted === undefined ? {} : { counted }),
      },
    );
    return {
      config: router,
      pusher: one,
      get status() {
        return one.status;
      },
      vyos,
      spec,
      get waitingSinceMs() {
        return waitingSinceMs;
      },
      beWriter: elected.take,
    };
  };

  /** Undefined: it is there no more. */
  let wanted: Opened | undefined = opened(first);
  let held = wanted;
  let handle = made(held);
  let told = stateOf(handle.status);

  const shown = (): EdgeRouterHandle | undefined => {
    if (wanted === undefined || wanted === held) return wanted && handle;
    return { ...handle, config: wanted.settings.router, status: withNews(handle.status) };
  };
  const tell = (): void => {
    const now = shown();
    const state = now && stateOf(now.status);
    if (state === undefined || isDeepStrictEqual(state, told)) return;
    told = state;
    onState();
  };
  /** Nobody is at work: the newest settings hold, as in a daemon that has just started with them. */
  const renew = (): void => {
    if (wanted === undefined || wanted === held) return;
    held = wanted;
    handle = made(held, handle.status.counted);
  };
  const alone = <T>(work: (router: EdgeRouterHandle) => Promise<T>): Promise<T> =>
    lock(name, async () => {
      if (wanted === undefined) throw gone(name);
      renew();
      try {
        return await work(handle);
      } finally {
        tell();
      }
    });
  const poke = (): void => {
    isBehind = true;
    waitingSinceMs ??= nowMs();
    wake();
  };

  const giveWay = async (): Promise<void> => {
    if (!isAsked) return;
    isAsked = false;
    try {
      await elected.giveWay();
    } catch (error) {
      if (!isFailure(error)) throw error;
      isAsked = true;
    }
  };
  const look = async ({ pusher: one }: EdgeRouterHandle): Promise<void> => {
    await giveWay();
    if (!isKnown(core) || !arePodsKnown(core)) return;
    const hasNews = isBehind && !IDLE.has(one.status.phase);
    isBehind = false;
    if (hasNews || nowMs() >= one.nextMs) await one.pass(edgeView(core), hasNews ? "news" : "time");
    if (!isBehind && one.status.failures === 0) waitingSinceMs = undefined;
  };
  const unsaved = (why: string): void =>
    core.log({
      event: "edge-failed",
      router: name,
      failures: parting.failures,
      message: `it is in the configuration no more, and loses what was pushed last when it reboots: ${why}`,
    });
  /** @returns whether nothing more is tried on the router @throws SelvedgeError store */
  const parted = async (): Promise<boolean> => {
    if (nowMs() < parting.againMs) return false;
    try {
      const why = await handle.pusher.part();
      if (why !== undefined) unsaved(why);
    } catch (error) {
      if (!isFailure(error) || error.failure.kind === "store") throw error;
      const failures = parting.failures + 1;
      parting = { failures, againMs: nowMs() + backoffMs(failures, Math.random) };
      if (failures < OPEN_AFTER) return false;
      unsaved(error.message);
    }
    return true;
  };
  /** While the store is away the next pass tries again: the lease is the node's, which lives on. */
  const leave = async (): Promise<void> => {
    try {
      if (!(await parted())) return;
      await elected.release();
    } catch (error) {
      if (!isFailure(error)) throw error;
      return;
    }
    // It may have come back meanwhile.
    if (wanted !== undefined) return wake();
    over.abort();
    onOver();
  };

  return {
    get handle() {
      return shown();
    },
    get calling() {
      if (wanted === undefined) return undefined;
      const { settings, opened: by } = wanted;
      const { router } = settings;
      return (router.bgp?.addresses ?? []).length === 0 ? undefined : { router, secretFrom: by.secretFrom };
    },
    become(settings) {
      if (isDeepStrictEqual(settings, wanted?.settings)) return;
      wanted = settings && opened(settings);
      parting = NOT_TRIED;
      poke();
      tell();
    },
    alone,
    poke,
    heed(change) {
      const key = "put" in change ? change.put.key : "remove" in change ? change.remove : "";
      isAsked ||= key === askedKey(name) || "all" in change;
      if (key === edgeKey(name, "pause") || ("remove" in change && key === edgeKey(name, "writer")))
        handle.pusher.wake();
      if (key.startsWith("edge/")) wake();
      else poke();
    },
    run(signal) {
      const pass = () => lock(name, () => (wanted === undefined ? leave() : passed()));
      const passed = async (): Promise<void> => {
        renew();
        await look(handle);
        tell();
      };
      const following = loop(pass, {
        everyMs: TICK_MS,
        debounceMs: first.common.windowMs,
        signal: AbortSignal.any([signal, over.signal]),
      });
      wake = following.poke;
      return following.done;
    },
    release: elected.release,
  };
}

interface Opened {
  readonly settings: RouterSettings;
  readonly opened: OpenedRouter;
}

/** What is under way is the old settings'. */
const withNews = (status: RouterStatus): RouterStatus => ({
  ...status,
  phase: "starting",
  message: "its settings are others, and hold when what is under way has ended",
});

const gone = (name: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "config-invalid", field: "router" },
    `router: ${JSON.stringify(name)} has been taken out of the configuration meanwhile`,
  );
