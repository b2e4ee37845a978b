/**
 * A node in memory that daemons come and go on: the kernel, the disk, the queue and the other plugins outlive each
 * daemon. What a daemon does to them passes a fuse, so that a test can cut the power between any two steps.
 */

import { address } from "#lib/address.ts";
import type { Entry, Queue } from "#lib/api/queue.ts";
import type { Request } from "#lib/cni/types.ts";
import { type Config, parseConfig } from "#lib/config/config.ts";
import { lasting } from "#lib/daemon/contested.ts";
import { type Core, openCore } from "#lib/daemon/core.ts";
import { type Host, NODE } from "#lib/daemon/host.ts";
import { jointFactsOn } from "#lib/daemon/joints.ts";
import { makeAllReady, nodeFacts } from "#lib/daemon/node-facts.ts";
import { allFacts, partsOf } from "#lib/daemon/parts.ts";
import { type Reconciler, reconciler } from "#lib/daemon/reconcile.ts";
import { replay } from "#lib/daemon/replay.ts";
import { type Verbs, verbs } from "#lib/daemon/verbs.ts";
import { type FakeDelegate, fakeDelegate } from "#lib/delegate/fake.ts";
import { fakeNetwork } from "#lib/echo/fake.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { inOrder } from "#lib/kernel/fake/order.ts";
import { type FakeKernel, fakeKernel } from "#lib/kernel/fake.ts";
import { fakeRouters } from "#lib/kernel/fake-routers.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { Routers } from "#lib/kernel/routers.ts";
import type { Event } from "#lib/log.ts";
import type { Op } from "#lib/state/diff.ts";
import { identity } from "#lib/state/fact.ts";
import { memory } from "#lib/store/memory.ts";
import type { Shared } from "#lib/store/shared.ts";
import type { Store } from "#lib/store/store.ts";
import { workers } from "#lib/workers.ts";
import { allOwned } from "../support/owned.ts";
import { functionsIn, notGivenBack } from "./card.ts";

export interface World {
  readonly kernel: FakeKernel;
  readonly store: Store;
  /** Absent: the node is alone. */
  readonly shared?: Shared;
  readonly queue: Queue & { put(name: string, request: Request): void };
  readonly others: FakeDelegate;
  /** What every daemon has logged. */
  readonly log: Event[];
  /** Milliseconds since the epoch; the monotonic clock follows it. */
  nowMs: number;
}

export function world(shared?: Shared): World {
  const entries = new Map<string, Request>();
  return {
    kernel: fakeKernel(),
    store: memory(),
    ...(shared === undefined ? {} : { shared }),
    queue: {
      put: (name, request) => void entries.set(name, request),
      list: async () => [...entries.keys()].sort().map((name): Entry => ({ name, directory: "/queue" })),
      read: async ({ name }) => entries.get(name),
      remove: async ({ name }) => void entries.delete(name),
      watch: async () => {},
    },
    others: fakeDelegate(),
    log: [],
    nowMs: 1_800_000_000_000,
  };
}

/** What may go wrong at a step: the power is cut before it, or the disk or the kernel refuses it. */
export type Mishap = "power" | "store" | "kernel";

export interface Fuse {
  /** Counts a step; when it is the one, the mishap happens: for "power", the promise never settles. */
  pass(kind: "store" | "kernel" | "plugin" | "other"): Promise<void>;
  /** Resolves when the power was cut. */
  readonly blown: Promise<void>;
  /** Whether the mishap has happened. */
  readonly happened: boolean;
}

/** @param at counts from 1; only steps that the mishap can hit are counted */
export function fuse(mishap: Mishap, at: number): Fuse {
  let left = at;
  let happened = false;
  const { promise: blown, resolve } = Promise.withResolvers<void>();
  return {
    blown,
    get happened() {
      return happened;
    },
    async pass(kind) {
      if (happened && mishap === "power") return new Promise(() => {});
      if (mishap !== "power" && mishap !== kind) return;
      if (--left !== 0) return;
      happened = true;
      if (mishap === "store") throw new SelvedgeError({ kind: "store" }, "disk full");
      if (mishap === "kernel") throw new SelvedgeError({ kind: "kernel", call: "sendmsg", errno: 12 }, "out of memory");
      resolve();
      return new Promise(() => {});
    },
  };
}

/** A fuse that never blows. */
export const sound = (): Fuse => fuse("power", Number.POSITIVE_INFINITY);

export interface Running {
  readonly core: Core;
  readonly verbs: Verbs;
  readonly repairs: Reconciler;
}

/** Starts a daemon, as lib/daemon/daemon.ts does, without its doors. */
export async function boot(world: World, guard: Fuse = sound(), config: Config = CONFIG): Promise<Running> {
  const ownNetnsInode = world.kernel.namespaceInode("/proc/self/ns/net") ?? 0;
  const ports = {
    kernel: guardedKernel(world.kernel, guard),
    routers: guardedRouters(world.kernel, guard),
    store: guardedStore(world.store, guard),
    ...(world.shared === undefined ? {} : { shared: world.shared }),
    delegate: async (delegation: Parameters<FakeDelegate["delegate"]>[0]) => {
      await guard.pass("plugin");
      const answer = await world.others.delegate(delegation);
      await guard.pass("plugin");
      return answer;
    },
    queue: world.queue,
    echo: fakeNetwork().echoOf([address("192.0.2.1")]),
    askWhole: async () => "lost" as const,
    log: (event: Event) => void world.log.push(event),
    nowMs: () => world.nowMs,
    clockUs: () => world.nowMs * 1_000,
  };
  const { core, replayed } = await openCore(ports, { config, version: "test", ownNetnsInode });
  await makeAllReady(core);
  const { lock } = core;
  const node = verbs(core, { lock, workers: workers({ size: config.workers, limit: config.queueLimit }) });
  await replay(core, replayed, new Map(), node.replayDel);
  core.waitingFor.clear();
  return { core, verbs: node, repairs: reconciler(core, lock) };
}

const CONFIG = parseConfig(`
networks:
  - {name: std, planes: [control, media]}
  - {name: control}
  - {name: media, attachment: bridge, bridge: br1, options: {isGateway: true}}
  - {name: apart, tenant: blue, pool: blue}
  - {name: mixed, planes: [apart]}
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}], [{subnet: "fd42:5e1f:ed9e::/64"}]]}
  - {name: blue, ranges: [[{subnet: 10.66.0.0/16}], [{subnet: "fd42:5e1f:ed9e::/64"}]]}
tenants: [{name: blue}]
`);

/** The end that carries the mark first: Linux marks both ends at birth (IFLA_GROUP), which the fake has no word for. */
const markedFirst = (ops: readonly Op[]): Op[] => [
  ...ops.filter(({ fact }) => fact.type === "link" && fact.at === "host"),
  ...ops.filter(({ fact }) => fact.type === "link" && fact.at === "pod"),
];

/** Operations in an order in which they can be performed one by one. */
function oneByOne(ops: readonly Op[]): Op[] {
  const links = markedFirst(ops.filter((op) => op.do !== "remove"));
  return inOrder(ops).map((op) => (op.do !== "remove" && op.fact.type === "link" ? (links.shift() ?? op) : op));
}

/** The power may go between any two operations, not only between calls. */
function guardedKernel(kernel: Kernel, guard: Fuse): Kernel {
  return {
    ...kernel,
    async apply(scope, ops) {
      // What the whole call would refuse at once must be refused before the first operation.
      if (ops.some((op) => op.do !== "remove" && op.fact.at === "pod")) await kernel.apply(scope, ops.slice(0, 0));
      for (const op of oneByOne(ops)) {
        await guard.pass("kernel");
        await kernel.apply(scope, [op]);
      }
    },
    async flushConntrack(addresses) {
      await guard.pass("kernel");
      return kernel.flushConntrack(addresses);
    },
  };
}

function guardedRouters(kernel: FakeKernel, guard: Fuse): Routers {
  const routers = fakeRouters(kernel);
  return {
    ...routers,
    open(name) {
      const router = routers.open(name);
      return { ...router, kernel: guardedKernel(router.kernel, guard) };
    },
  };
}

function guardedStore(store: Store, guard: Fuse): Store {
  return {
    ...store,
    async commit(changes) {
      await guard.pass("store");
      await store.commit(changes);
      // A power cut after the commit and before anybody has heard of it.
      await guard.pass("other");
    },
  };
}

/** What does not belong together: every line is a leak, or a thing that is missing. Empty on a healthy node. */
export async function wounds(world: World, { core, repairs }: Running): Promise<string[]> {
  const saved = await world.store.load();
  const keys = (of: Iterable<{ containerId: string; ifname: string }>) =>
    [...of].map(({ containerId, ifname }) => `${containerId} ${ifname}`).sort();
  const known = new Set(keys(core.table));
  const left: string[] = [];
  for (const host of core.hosts.values()) left.push(...(await leftOn(core, host)));
  const delegated = keys([...core.table].filter((record) => record.config.includes("fake-ipam")));
  return [
    ...[...core.table].filter(({ phase }) => phase !== "ready").map((r) => `${r.containerId} is ${r.phase}`),
    ...left,
    ...keys(saved.attachments).flatMap((key) => (known.has(key) ? [] : [`on disk only: ${key}`])),
    ...[...known].flatMap((key) => (keys(saved.attachments).includes(key) ? [] : [`in memory only: ${key}`])),
    ...saved.leases
      .filter((lease) => core.table.ofInterface(lease) === undefined)
      .map((lease) => `leaked address of ${lease.containerId} ${lease.ifname}`),
    ...missingFrom(leaseTexts(saved.leases), leaseTexts(core.ipam.leases()), "lease on disk only"),
    ...missingFrom(leaseTexts(core.ipam.leases()), leaseTexts(saved.leases), "lease in memory only"),
    ...missingFrom(reservationTexts(saved.reservations), reservationTexts(kept(core)), "reservation on disk only"),
    ...missingFrom(reservationTexts(kept(core)), reservationTexts(saved.reservations), "reservation in memory only"),
    ...missingFrom(
      [...world.others.held].map((key) => key.replace("/", " ")),
      delegated,
      "held by the other plugin",
    ),
    ...(await notGivenBack(world.kernel, functionsIn([...core.table].flatMap(allFacts)))),
    ...(await repairs.plan()).map((line) => `to repair: ${line}`),
    ...world.log.flatMap((event) => (event.event === "failed" ? [`bug: ${event.message} ${event.stack}`] : [])),
    ...saved.replayed.map((name) => `replayed: ${name}`),
  ];
}

/** Those that the store is to have. */
const kept = ({ ipam }: Core) => ipam.reservations().filter(({ origin }) => origin !== "declared");
const reservationTexts = (reservations: readonly { pool: string; name: string; addresses: readonly string[] }[]) =>
  reservations.map(({ pool, name, addresses }) => `${pool}/${name} ${addresses.join(" ")}`);

/** What carries our mark on a host and is neither the host's own nor an attachment's. */
async function leftOn(core: Core, host: Host): Promise<string[]> {
  const own = partsOfAll(core).flatMap((part) => (part.host === host.name ? part.facts : []));
  const wanted = new Set([...own, ...nodeFacts(core, host), ...jointFactsOn(core, host.name)].map(identity));
  return (await allOwned(host.kernel))
    .filter((fact) => fact.type !== "table" && fact.type !== "sysctl" && !lasting(fact))
    .map(identity)
    .filter((id) => !wanted.has(id))
    .map((id) => `left behind${host.name === NODE ? "" : ` in ${host.name}`}: ${id}`);
}

const partsOfAll = (core: Core) => [...core.table].flatMap(partsOf);

const leaseTexts = (leases: readonly { pool: string; address: string; containerId: string }[]) =>
  leases.map(({ pool, address, containerId }) => `${pool}/${address} ${containerId}`);

const missingFrom = (some: readonly string[], others: readonly string[], what: string): string[] =>
  some.filter((one) => !others.includes(one)).map((one) => `${what}: ${one}`);

/** A request as the plugin makes it. */
export const request = (
  containerId: string,
  config: Readonly<Record<string, unknown>>,
  over: Partial<Request> = {},
): Request => ({
  containerId,
  netns: `/run/netns/${containerId}`,
  ifname: "eth0",
  args: "",
  path: "/opt/cni/bin",
  config: Buffer.from(JSON.stringify({ cniVersion: "1.1.0", name: "net", type: "selvedge", ...config })),
  netnsInode: 0,
  traceparent: "",
  tracestate: "",
  allowOwnNetns: false,
  ...over,
});

/** A call that nobody gives up. */
export const patient = () => ({ signal: new AbortController().signal, deadlineMs: undefined });
