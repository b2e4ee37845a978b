/** The daemon put together: state from the store, then the queue, then the doors, then the loop. */
import { type Serving, serve } from "#lib/api/server.ts";
import { isFailure } from "#lib/errors.ts";
import type { Change } from "#lib/kernel/kernel.ts";
import { loop } from "#lib/loop.ts";
import { workers as pool } from "#lib/workers.ts";
import { admin } from "./admin.ts";
import { takeOwnAddresses } from "./cluster/own-addresses.ts";
import { type Core, type CoreOptions, openCore, type Ports } from "./core.ts";
import { devicePools, makeFunctions } from "./device-pools.ts";
import { openKubernetes } from "./kubernetes/kubernetes.ts";
import { tellOfNetwork } from "./kubernetes/node-network.ts";
import { forgetLeavers } from "./leaving.ts";
import { makeAllReady } from "./node-facts.ts";
import { startPolicies } from "./policy/start.ts";
import { reconciler, SWITCHES_MS } from "./reconcile.ts";
import { replay } from "./replay.ts";
import { followResources } from "./resources/follow.ts";
import { closeHost } from "./routers.ts";
import { stretchedOf } from "./segment-bridge.ts";
import { stationsHere } from "./stations-here.ts";
import { verbs } from "./verbs.ts";

export interface DaemonOptions extends CoreOptions {
  readonly storeName: string;
  /** SO_PEERCRED of a connection's descriptor. */
  readonly credentials: (fd: number) => { uid: number; pid: number };
  /** Everything that is there was read; no request was heard yet. */
  readonly onCaughtUp?: () => void;
}

export interface Daemon {
  /** Finishes what runs, takes nothing new, and returns when all of it is durable. Links and rules stay as they are. */
  stop(): Promise<void>;
  /** Calls that have not been answered yet. */
  readonly running: number;
  /** Rejects when a part that must run for ever has failed: a bug. */
  readonly failed: Promise<never>;
}

/** How often kubelet is looked for, and told of devices that came or went. */
const OFFERS_MS = 5_000;
/** How often the node's share of pools is compared with what it needs, and how long news of it are gathered. */
const SHARES_MS = 1_000;
const GATHER_MS = 20;

/** Resolves when the socket answers. @throws SelvedgeError conflict (another daemon serves), store, kernel, config-invalid */
export async function startDaemon(ports: Ports, options: DaemonOptions): Promise<Daemon> {
  const { config } = options;
  const beganUs = ports.clockUs();
  const { core, replayed } = await openCore(ports, options);
  const stopping = new AbortController();
  let poke = (): void => {};
  const kubernetes = openKubernetes(core);
  if (kubernetes !== undefined) core.kubernetes = kubernetes;
  await startPolicies(core, { poke: () => poke(), signal: stopping.signal });
  await core.resources?.take();
  await makeAllReady(core);
  await core.policies?.repairAll();
  await makeFunctions(core);

  const { lock } = core;
  const workers = pool({ size: config.workers, limit: config.queueLimit });
  const node = verbs(core, { lock, workers });
  const told = new Map<string, Set<string>>();
  const drain = () => replay(core, replayed, told, node.replayDel);
  await drain();

  const repairs = reconciler(core, lock);
  const reconciling = loop(
    async () => {
      await drain();
      await repairs.pass();
    },
    {
      everyMs: SWITCHES_MS,
      debounceMs: config.reconcile.debounceMs,
      signal: stopping.signal,
    },
  );

  poke = reconciling.poke;

  const offered = devicePools(core);
  const offering = loop(offered.refresh, { everyMs: OFFERS_MS, debounceMs: 0, signal: stopping.signal });

  let tell = (): void => {};
  /** Who comes to a segment of many nodes, or goes, is told of at once. */
  const thenTold =
    <Request, Call, Reply>(handler: (request: Request, call: Call) => Promise<Reply>) =>
    async (request: Request, call: Call): Promise<Reply> => {
      const reply = await handler(request, call);
      tell();
      return reply;
    };

  const ready = Promise.withResolvers<void>();
  const whenReady =
    <Request, Call, Reply>(handler: (request: Request, call: Call) => Promise<Reply>) =>
    async (request: Request, call: Call): Promise<Reply> => {
      await ready.promise;
      return handler(request, call);
    };
  const serving: Serving = await serve({
    socket: config.socket,
    node: {
      add: whenReady(thenTold(node.add)),
      del: whenReady(thenTold(node.del)),
      check: whenReady(node.check),
      gc: whenReady(thenTold(node.gc)),
      status: node.status,
    },
    admin: admin(core, {
      reconciler: repairs,
      reconcileNow: async () => {
        repairs.mark(undefined);
        await reconciling.now();
      },
      lock,
      workers,
      version: options.version,
      storeName: options.storeName,
    }),
    credentials: options.credentials,
    log: ports.log,
  }).catch(async (error: unknown) => {
    stopping.abort();
    await Promise.all([reconciling.done, offering.done]);
    await offered[Symbol.asyncDispose]();
    throw error;
  });
  // A DEL that found the socket closed while the queue was being worked off is in the queue now.
  await drain();
  options.onCaughtUp?.();
  core.waitingFor.delete("it is starting");
  ready.resolve();
  ports.log({
    event: "serving",
    socket: config.socket,
    attachments: core.table.size,
    tookMs: Math.round((ports.clockUs() - beganUs) / 1_000),
  });

  const heed = (change: Change | undefined): void => {
    if (change === undefined) ports.log({ event: "events-lost" });
    repairs.mark(change);
    reconciling.poke();
  };
  const watched = new Set<Promise<void>>();
  const broken = Promise.withResolvers<never>();
  core.onHost = ({ kernel, closing }) => {
    const watching = kernel.watch(heed, AbortSignal.any([stopping.signal, closing.signal]));
    watched.add(watching);
    watching.catch(broken.reject).finally(() => watched.delete(watching));
  };
  for (const host of core.hosts.values()) core.onHost(host);
  const sharing = loop(() => share(core), {
    everyMs: SHARES_MS,
    debounceMs: GATHER_MS,
    signal: stopping.signal,
  });
  if (stretchedOf(config).length > 0) tell = sharing.poke;
  core.cluster?.listen({ heed: sharing.poke, connection: sharing.poke });
  const { edge } = core;
  if (edge !== undefined) core.cluster?.listen({ heed: edge.heed, connection: edge.poke });
  if (edge === undefined) await endSpeaker(core);
  const edging = edge?.run(stopping.signal) ?? Promise.resolve();
  const onChange = () => {
    reconciling.poke();
    edge?.poke();
  };
  const taking =
    core.cluster?.run(onChange, stopping.signal, (taken) => forgetLeavers(core, taken)) ?? Promise.resolve();
  const configuring = followResources(core, {
    signal: stopping.signal,
    onChange() {
      repairs.mark(undefined);
      edge?.follow();
      onChange();
      sharing.poke();
    },
  });
  const following = ports.queue.watch(() => reconciling.poke(), stopping.signal);

  const telling = kubernetes?.statuses?.run(stopping.signal) ?? Promise.resolve();
  const tellingOfNode = tellOfNetwork(core, stopping.signal);

  const ofKubernetes = [telling, tellingOfNode, configuring];
  for (const forever of [reconciling.done, offering.done, following, sharing.done, taking, edging, ...ofKubernetes])
    forever.catch(broken.reject);
  core.policies?.done.catch(broken.reject);
  broken.promise.catch(() => {});
  return {
    failed: broken.promise,
    get running() {
      return serving.running;
    },
    async stop() {
      core.waitingFor.add("it is stopping");
      await serving.close(config.shutdownSeconds * 1_000);
      await workers.idle();
      stopping.abort();
      await edge?.close();
      await Promise.allSettled([reconciling.done, offering.done, ...watched, following, sharing.done, taking]);
      await Promise.allSettled(ofKubernetes);
      await core.policies?.done;
      await offered[Symbol.asyncDispose]();
      await Promise.all([...core.behind]);
      for (const host of core.hosts.values()) {
        await host.connections.settled();
        await host.kernel.settled();
        await closeHost(host);
      }
    },
  };
}

/** What an earlier configuration had FRR say is taken back. Reports its own failures. */
async function endSpeaker({ speaker, log }: Core): Promise<void> {
  try {
    await speaker?.cease();
  } catch (error) {
    if (!isFailure(error)) throw error;
    log({ event: "speaker-failed", message: error.message });
  }
}

/** The node's share of what the nodes of a cluster have in common. Reports its own failures. */
async function share(core: Core): Promise<void> {
  const { cluster, blocks, store, log, config, waitingFor } = core;
  if (cluster === undefined || blocks === undefined) return;
  if (cluster.trouble !== undefined) return void waitingFor.add(cluster.trouble);
  for (const reason of waitingFor) if (cluster.isTrouble(reason)) waitingFor.delete(reason);
  await cluster.tell(stationsHere(core));
  await blocks.pass();
  await takeOwnAddresses({ cluster, blocks, store, log, pool: config.defaultPool });
}
