/** The real daemon and a real etcd, among thousands of nodes that are there on paper only. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, addressOf, hostPrefix, type Prefix } from "#lib/address.ts";
import { aliveKey } from "#lib/cluster/records.ts";
import { by } from "#lib/datapath/ways/ends.ts";
import { vxlanLink } from "#lib/datapath/ways/names.ts";
import { linux } from "#lib/kernel/linux.ts";
import type { Shared } from "#lib/store/shared.ts";
import { type Daemon, startDaemon } from "../daemon.ts";
import { summary } from "../statistics.ts";
import {
  aliveEntry,
  blockOf,
  fixedEntry,
  fixedRecord,
  joining,
  nameOf,
  nodeEntry,
  POOL,
  recordsOf,
  type Shape,
} from "./cluster.ts";
import { client, putAll, startEtcd } from "./etcd.ts";
import type { Real, Step } from "./measured.ts";
import { type Traffic, type Wiretap, wiretap } from "./wiretap.ts";

export interface Amounts {
  readonly nodes: number;
  /** Nodes that join, and pods that move, one after another. */
  readonly samples: number;
  /** Nodes that are away at the same time while all are restarted. */
  readonly wave: number;
  readonly idleMs: number;
}

const ip = (...argv: readonly string[]): string => execFileSync("ip", argv, { encoding: "utf8", maxBuffer: 2 ** 28 });

const GATEWAY = "192.0.2.254";

/** One link of the machine, behind which is everybody and nobody answers. */
function makeWire(): void {
  ip("netns", "add", "wire");
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", "wire");
  ip("addr", "add", "192.0.2.1/24", "dev", "eth0");
  ip("link", "set", "eth0", "up");
  ip("-n", "wire", "addr", "add", `${GATEWAY}/24`, "dev", "eth0");
  ip("-n", "wire", "link", "set", "eth0", "up");
  ip("route", "add", "default", "via", GATEWAY);
}

const DEADLINE_MS = 60_000;

async function eventually(what: string, holds: () => Promise<boolean>, everyMs: number): Promise<void> {
  for (const giveUpMs = performance.now() + DEADLINE_MS; !(await holds()); await sleep(everyMs))
    if (performance.now() > giveUpMs) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`);
}

/** Whether the kernel routes a network of pods to its node. */
function watcher() {
  const kernel = linux();
  const link = vxlanLink(4);
  const hasRoute = async (to: Prefix): Promise<boolean> =>
    (await kernel.look({}, [{ type: "route", at: "host", to, link, ...by(addressOf(to), to) }])).length > 0;
  return {
    arrives: (to: Prefix) => eventually(`a route to ${to}`, () => hasRoute(to), 1),
    goes: (to: Prefix) => eventually(`no route to ${to}`, async () => !(await hasRoute(to)), 1),
    [Symbol.asyncDispose]: () => kernel[Symbol.asyncDispose](),
  };
}

/** Routes to other nodes' pods, as a reader that is not ours counts them. */
const routes = (): number =>
  ip("-4", "route", "show", "proto", "83")
    .split("\n")
    .filter((line) => line.includes(`dev ${vxlanLink(4)} `)).length;

const share = ({ asked, told }: Traffic, of: number): Traffic => ({
  asked: { bytes: asked.bytes / of, messages: asked.messages / of },
  told: { bytes: told.bytes / of, messages: told.messages / of },
});

interface Stage {
  readonly daemon: Daemon;
  readonly tap: Wiretap;
  readonly shared: Shared;
  readonly kernel: ReturnType<typeof watcher>;
}

/** One after another; `act` does it and names the network whose route shows that it has arrived. */
async function series(
  { daemon, tap, kernel }: Stage,
  samples: number,
  act: (i: number) => Promise<Prefix>,
): Promise<Step> {
  const times: number[] = [];
  const cpuMs = daemon.cpuMs();
  tap.take();
  for (let i = 0; i < samples; i++) {
    const beganMs = performance.now();
    await kernel.arrives(await act(i));
    times.push(performance.now() - beganMs);
  }
  return { until: summary(times), cpu: (daemon.cpuMs() - cpuMs) / samples, traffic: share(tap.take(), samples) };
}

/** Waits for the kernel to have everything. */
async function started(
  { daemon, tap }: Pick<Stage, "daemon" | "tap">,
  beganMs: number,
  nodes: number,
): Promise<Real["start"]> {
  const passes = () => daemon.events().filter(({ event }) => event === "repaired");
  const isMany = ({ count = 0 }: { readonly count?: number }) => count > nodes;
  await eventually("all routes", async () => passes().some(isMany) && routes() >= nodes, 100);
  const many = passes().filter(isMany);
  return {
    whole: Date.parse(many.at(-1)?.time ?? "") - beganMs,
    programming: many.reduce((sum, { tookMs = 0 }) => sum + tookMs, 0),
    operations: many.reduce((sum, { count = 0 }) => sum + count, 0),
    cpu: daemon.cpuMs(),
    traffic: tap.take(),
    memory: daemon.memory(),
  };
}

async function rolling({ daemon, tap, shared, kernel }: Stage, { nodes, wave }: Amounts): Promise<Real["rolling"]> {
  const cpuMs = daemon.cpuMs();
  const beganMs = performance.now();
  tap.take();
  for (let first = 0; first < nodes; first += wave) {
    const some = Array.from({ length: Math.min(wave, nodes - first) }, (_, i) => first + i);
    const last = blockOf(some.at(-1) ?? 0, 4);
    await Promise.all(some.map((node) => shared.remove(aliveKey(nameOf(node)))));
    await kernel.goes(last);
    await putAll(
      shared,
      some.flatMap((node) => [aliveEntry(node), nodeEntry(node, "1.0.1")]),
    );
    await kernel.arrives(last);
  }
  return { nodes, took: performance.now() - beganMs, cpu: daemon.cpuMs() - cpuMs, traffic: tap.take() };
}

/** @param state a directory for the daemon and etcd */
export async function real(program: string, state: string, amounts: Amounts): Promise<Real> {
  const { nodes, samples, idleMs } = amounts;
  const shape: Shape = { nodes, podsOfNode: 30, fixedOfNode: 0 };
  makeWire();
  await using etcd = await startEtcd(state);
  await using shared = client(etcd.endpoint);
  await putAll(shared, recordsOf(shape));
  await using tap = await wiretap(etcd.endpoint);
  const settings = {
    pools: [POOL],
    cluster: { store: { etcd: { endpoints: [tap.endpoint] } }, node: { name: "self" }, way: "vxlan" },
  };
  const beganMs = Date.now();
  await using daemon = await startDaemon(program, join(state, "selvedged"), { settings });
  const start = await started({ daemon, tap }, beganMs, nodes);
  await using kernel = watcher();
  const stage = { daemon, tap, shared, kernel };

  // What follows the start by itself ends first: the full pass, and what was gathered.
  await sleep(idleMs);
  tap.take();
  const cpuMs = daemon.cpuMs();
  await sleep(idleMs);
  const idle = { forMs: idleMs, cpu: daemon.cpuMs() - cpuMs, traffic: tap.take() };

  const join_ = await series(stage, samples, async (i) => {
    await putAll(shared, joining(shape, nodes + i));
    return blockOf(nodes + i, 4);
  });
  const move = await series(stage, samples, async (i) => {
    const record = fixedRecord(i, 4, 0, (i + 1) % nodes);
    const { key, value } = fixedEntry(record);
    await shared.put(key, value);
    return hostPrefix(record.address as Address);
  });
  return { nodes, start, idle, join: join_, move, rolling: await rolling(stage, amounts), memory: daemon.memory() };
}
