/**
 * The routers of the configuration of the moment, each followed by a loop of its own: one that is slow or ill holds up no
 * other, and neither does one that comes, becomes another or goes.
 */
import { once } from "node:events";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Edge as EdgeConfig } from "#lib/config/edge.ts";
import { type ChosenPods, choicesOf, chosenPods } from "#lib/edge/chosen.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { keyedLock } from "#lib/lock.ts";
import { loop } from "#lib/loop.ts";
import type { SharedChange } from "#lib/store/shared.ts";
import type { Named } from "#lib/store/store.ts";
import type { Core } from "../core.ts";
import type { PodListener } from "../policy/objects.ts";
import { type Driven, driven, type EdgeRouterHandle, type OpenRouter } from "./driven.ts";
import { ownKeeper } from "./memory.ts";
import { type Speaking, speaking } from "./speaking.ts";

export interface Edge {
  /** Those of the configuration of the moment, by name. */
  readonly routers: ReadonlyMap<string, EdgeRouterHandle>;
  /** Work on a router, when nobody else works on it. @throws SelvedgeError config-invalid: there is none of that name */
  alone<T>(name: string, work: (router: EdgeRouterHandle) => Promise<T>): Promise<T>;
  /** FRR on this node; absent where there is nobody to speak for it. */
  readonly speaking?: Speaking;
  /** Those that routers choose, which it is to be told of; addresses by choice, none where no router chooses. */
  readonly pods: PodListener & Pick<ChosenPods, "addresses">;
  /** Called with the name of a router whose `stateOf(status)` is another. */
  onState: (name: string) => void;
  /** The configuration is another. What is under way with a router ends before other settings of it hold. */
  follow(): void;
  /** The cluster may be another. */
  poke(): void;
  heed(change: SharedChange): void;
  /** Follows until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** Lets other nodes be the writer. */
  close(): Promise<void>;
}

/** How often FRR is looked for. */
const LISTEN_MS = 2_000;
/** Of a node's own addresses a burst is one change, too. */
const SPEAK_MS = 100;
/** A push that is under way at the end is finished by whoever writes next. */
const CLOSE_MS = 2_000;

/** @param config that the daemon has begun with @param kept what the node's own store has */
export function openEdge(core: Core, config: EdgeConfig, open: OpenRouter, kept: readonly Named[]): Edge {
  const { cluster, shared, store } = core;
  const self =
    cluster === undefined ? { node: hostname(), uid: "alone" } : { node: cluster.self.name, uid: cluster.self.uid };
  const keeper = shared === undefined || cluster === undefined ? ownKeeper(store, kept) : shared;
  const lock = keyedLock();
  /** By name, with those that are there no more and have not ended. */
  const all = new Map<string, Driven>();
  const broken = Promise.withResolvers<never>();
  const running = new Set<Promise<void>>();
  let until: AbortSignal | undefined;
  let speak = (): void => {};

  const start = (run: (signal: AbortSignal) => Promise<void>): void => {
    if (until === undefined) return;
    const done = run(until);
    running.add(done);
    done.then(() => running.delete(done), broken.reject);
  };
  const routers = (): Map<string, EdgeRouterHandle> =>
    new Map([...all].flatMap(([name, { handle }]) => (handle === undefined ? [] : [[name, handle]])));
  const poke = (): void => {
    for (const each of all.values()) each.poke();
    speak();
  };

  const chosen = chosenPods();
  const voice =
    core.speaker === undefined
      ? undefined
      : speaking(core, {
          speaker: core.speaker,
          config,
          routers: () => [...all.values()].flatMap(({ calling }) => calling ?? []),
          random: Math.random,
        });

  const follow = (): void => {
    const { routers: wanted, ...common } = core.config.edge ?? { ...config, routers: [] };
    const settings = new Map(wanted.map((router) => [router.name, { router, common }]));
    for (const [name, each] of all) each.become(settings.get(name));
    for (const [name, first] of settings) {
      if (all.has(name)) continue;
      const made = driven(core, first, {
        open,
        keeper,
        self,
        lock,
        onState: () => edge.onState(name),
        onOver: () => void all.delete(name),
      });
      all.set(name, made);
      start(made.run);
    }
    chosen.choose(wanted.flatMap(choicesOf), core.policies?.enforcement.told() ?? []);
    speak();
  };

  const edge: Edge = {
    get routers() {
      return routers();
    },
    async alone(name, work) {
      routerNamed(edge, name);
      return (all.get(name) as Driven).alone(work);
    },
    ...(voice === undefined ? {} : { speaking: voice }),
    pods: {
      put: chosen.put,
      remove: chosen.remove,
      addresses: chosen.addresses,
      told() {
        if (chosen.take()) poke();
      },
    },
    onState: () => {},
    follow,
    poke,
    heed(change) {
      for (const each of all.values()) each.heed(change);
      speak();
    },
    run(signal) {
      until = signal;
      for (const each of all.values()) start(each.run);
      if (voice !== undefined)
        start(() => {
          const speaks = loop(voice.pass, { everyMs: LISTEN_MS, debounceMs: SPEAK_MS, signal });
          speak = speaks.poke;
          return speaks.done;
        });
      follow();
      return Promise.race([broken.promise, once(signal, "abort").then(() => ended())]);
    },
    async close() {
      const isOver = await Promise.race([ended().then(() => true), sleep(CLOSE_MS, false, { ref: false })]);
      if (!isOver) return;
      for (const each of all.values())
        try {
          await each.release();
        } catch (error) {
          if (!isFailure(error)) throw error;
          // The store is away: the lease ends without us.
        }
    },
  };
  const ended = async (): Promise<void> => void (await Promise.all(running));
  follow();
  return edge;
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
