/** The routers of the configuration, each followed by a loop of its own: one that is slow or ill holds up no other. */
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Edge as EdgeConfig, EdgeRouter } from "#lib/config/edge.ts";
import type { Reaches } from "#lib/echo/tcp.ts";
import { type ChosenPods, choicesOf, chosenPods } from "#lib/edge/chosen.ts";
import type { PodChoice, RouterSpec } from "#lib/edge/router.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { keyedLock } from "#lib/lock.ts";
import { loop } from "#lib/loop.ts";
import type { SharedChange } from "#lib/store/shared.ts";
import type { Named } from "#lib/store/store.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import type { Core } from "../core.ts";
import type { PodListener } from "../policy/objects.ts";
import { edgeKey, memory, ownKeeper } from "./memory.ts";
import { withConnected } from "./observe.ts";
import { type Pusher, pusher } from "./pusher.ts";
import type { Phase } from "./router-status.ts";
import { type Speaking, speaking } from "./speaking.ts";
import { calledOf, type SecretFrom, specOf } from "./spec.ts";
import { arePodsKnown, edgeView, isKnown } from "./view.ts";
import { askedKey, writer } from "./writer.ts";

/** How a router is reached, and the secrets that go with it; named only by cmd/. */
export type OpenRouter = (router: EdgeRouter) => {
  readonly vyos: Vyos;
  readonly secretFrom: SecretFrom;
  readonly reaches: Reaches;
};

export interface EdgeRouterHandle {
  readonly config: EdgeRouter;
  readonly pusher: Pusher;
  readonly vyos: Vyos;
  /** As it is now, with its secrets. @throws SelvedgeError config-invalid, not-ready, router */
  spec(): Promise<RouterSpec>;
  /** Since when news wait to be pushed, milliseconds since the epoch; undefined: none do. */
  readonly waitingSinceMs: number | undefined;
  /** Work on the router, when nobody else works on it. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** This node becomes the one that writes to it. @throws SelvedgeError store, not-ready */
  beWriter(): Promise<void>;
}

export interface Edge {
  /** By name. */
  readonly routers: ReadonlyMap<string, EdgeRouterHandle>;
  /** FRR on this node; absent where no router is called by it. */
  readonly speaking?: Speaking;
  /** Those that routers choose, which it is to be told of; absent where none does. */
  readonly pods?: PodListener & Pick<ChosenPods, "addresses">;
  /** The cluster may be another. */
  poke(): void;
  heed(change: SharedChange): void;
  /** Follows until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** Lets other nodes be the writer. */
  close(): Promise<void>;
}

/** News are nothing to these. */
const IDLE: ReadonlySet<Phase> = new Set(["standby", "paused"]);
const TICK_MS = 1_000;
/** How often FRR is looked for. */
const LISTEN_MS = 2_000;
/** Of a node's own addresses a burst is one change, too. */
const SPEAK_MS = 100;
/** A push that is under way at the end is finished by whoever writes next. */
const CLOSE_MS = 2_000;

/** @param kept what the node's own store has */
export function openEdge(core: Core, config: EdgeConfig, open: OpenRouter, kept: readonly Named[]): Edge {
  const { cluster, shared, store, log, nowMs } = core;
  const self =
    cluster === undefined ? { node: hostname(), uid: "alone" } : { node: cluster.self.name, uid: cluster.self.uid };
  const keeper = shared === undefined || cluster === undefined ? ownKeeper(store, kept) : shared;
  const lock = keyedLock();
  /** By router: since when. */
  const waiting = new Map<string, number>();
  const routers = new Map(
    config.routers.map((router) => {
      const { vyos, secretFrom, reaches } = open(router);
      const spec = async (): Promise<RouterSpec> => withConnected(vyos, await specOf(router, config.pairs, secretFrom));
      const elected = writer(keeper, router.name, self);
      const made = pusher(
        {
          router: vyos,
          memory: memory(keeper, router.name),
          writer: elected,
          log,
          nowMs,
          random: Math.random,
          wait: (ms) => sleep(ms),
          reaches,
        },
        {
          spec,
          router: router.name,
          by: self.node,
          driftMs: config.driftSeconds * 1_000,
          onDrift: config.onDrift,
          deleteLimit: config.deleteLimit,
          dryRun: config.dryRun,
          confirmMinutes: config.confirmMinutes,
          verifyMs: config.verifySeconds * 1_000,
          probes: router.probes,
        },
      );
      const alone = <T>(work: () => Promise<T>): Promise<T> => lock(router.name, work);
      return [
        router.name,
        {
          config: router,
          pusher: made,
          vyos,
          spec,
          asCalled: () => calledOf(router, secretFrom),
          get waitingSinceMs() {
            return waiting.get(router.name);
          },
          alone,
          beWriter: elected.take,
          elected,
        },
      ] as const;
    }),
  );
  const called = [...routers.values()].filter(({ config: { bgp } }) => bgp !== undefined && bgp.addresses.length > 0);
  const voice =
    called.length > 0 && core.speaker !== undefined
      ? speaking(core, {
          speaker: core.speaker,
          config,
          specs: () => Promise.all(called.map((router) => router.asCalled())),
          random: Math.random,
        })
      : undefined;
  const choices = config.routers.flatMap(choicesOf);
  /** Names of the routers that have not been told of the newest changes. */
  const behind = new Set(routers.keys());
  /** Names of the routers that another node asks for, maybe. */
  const asked = new Set(routers.keys());
  let pokes: (() => void)[] = [];
  let running: Promise<unknown> = Promise.resolve();

  const poke = (): void => {
    for (const name of routers.keys()) {
      behind.add(name);
      if (!waiting.has(name)) waiting.set(name, nowMs());
    }
    for (const each of pokes) each();
  };
  const giveWay = async (name: string): Promise<void> => {
    if (!asked.delete(name)) return;
    try {
      await routers.get(name)?.elected.giveWay();
    } catch (error) {
      if (!isFailure(error)) throw error;
      asked.add(name);
    }
  };
  const pass = (name: string, { pusher: one, alone }: EdgeRouterHandle): Promise<void> =>
    alone(async () => {
      await giveWay(name);
      if (!isKnown(core) || !arePodsKnown(core)) return;
      const hasNews = behind.delete(name) && !IDLE.has(one.status.phase);
      if (hasNews || nowMs() >= one.nextMs) await one.pass(edgeView(core), hasNews ? "news" : "time");
      if (!behind.has(name) && one.status.failures === 0) waiting.delete(name);
    });

  return {
    routers,
    ...(voice === undefined ? {} : { speaking: voice }),
    ...(choices.length === 0 ? {} : { pods: podsOf(choices, poke) }),
    poke,
    heed(change) {
      const key = "put" in change ? change.put.key : "remove" in change ? change.remove : "";
      for (const [name, { pusher: one }] of routers) {
        if (key === askedKey(name) || "all" in change) asked.add(name);
        if (key === edgeKey(name, "pause") || ("remove" in change && key === edgeKey(name, "writer"))) one.wake();
      }
      if (!key.startsWith("edge/")) poke();
      else for (const each of pokes) each();
    },
    run(signal) {
      const loops = [...routers].map(([name, handle]) =>
        loop(() => pass(name, handle), { everyMs: TICK_MS, debounceMs: config.windowMs, signal }),
      );
      if (voice !== undefined) loops.push(loop(voice.pass, { everyMs: LISTEN_MS, debounceMs: SPEAK_MS, signal }));
      pokes = loops.map((each) => each.poke);
      const done = Promise.all(loops.map((each) => each.done));
      running = done;
      return done.then(() => {});
    },
    async close() {
      const isOver = await Promise.race([running.then(() => true), sleep(CLOSE_MS, false, { ref: false })]);
      if (!isOver) return;
      for (const { elected } of routers.values())
        try {
          await elected.release();
        } catch (error) {
          if (!isFailure(error)) throw error;
          // The store is away: the lease ends without us.
        }
    },
  };
}

/** @param onOther some choice has other addresses */
function podsOf(choices: readonly PodChoice[], onOther: () => void): NonNullable<Edge["pods"]> {
  const chosen = chosenPods(choices);
  return {
    ...chosen,
    told() {
      if (chosen.take()) onOther();
    },
  };
}

/** @throws SelvedgeError config-invalid */
export function routerNamed({ routers }: Pick<Edge, "routers">, name: string): EdgeRouterHandle {
  const found = routers.get(name);
  if (found !== undefined) return found;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "router" },
    `router: none is called ${JSON.stringify(name)}; there are ${[...routers.keys()].join(", ") || "none"}`,
  );
}
