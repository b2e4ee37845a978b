/**
 * What is there only for as long as somebody lives goes by the hand of one of the others: whoever holds the Lease of this name
 * watches those of all and removes the ones that were not renewed for as long as they hold, then what was put with them.
 *
 * Times are this process' own: it has seen one version of a Lease for so long, while the server answered. An outage of the
 * server is nobody's end. Each removal is of the version that was seen, so one that is renewed or put again at that moment
 * stays, also when two processes take themselves for the sweeper.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isFailure } from "#lib/errors.ts";
import { headOf } from "#lib/k8s/api/head.ts";
import type { Resource } from "#lib/k8s/api/resource.ts";
import { readable } from "#lib/parse.ts";
import type { Api } from "./api.ts";
import { KINDS } from "./kinds.ts";
import { type Lease, leaseObject, leaseOf } from "./leases.ts";
import { SESSION } from "./object.ts";

export interface SweeperOptions {
  readonly api: Api;
  readonly leases: Resource;
  readonly holder: string;
  readonly livenessSeconds: number;
  readonly signal: AbortSignal;
  readonly random: () => number;
}

const NAME = "selvedge-sweeper";

/** For how long a Lease has been of one version, and when that was last told. */
interface Silence {
  readonly version: string;
  readonly ms: number;
  readonly toldMs: number;
}

/** Runs until the signal. What fails is tried again. */
export async function sweep(options: SweeperOptions): Promise<void> {
  const { signal, random, livenessSeconds } = options;
  const everyMs = (livenessSeconds * 1_000) / 3;
  const isMine = candidacy(options, everyMs);
  const look = broom(options, everyMs);
  while (!signal.aborted) {
    let isSweeper = false;
    try {
      isSweeper = await isMine();
      if (isSweeper) await look.sweep();
      else look.forget();
    } catch (error) {
      if (!isFailure(error, "store")) throw error;
      look.forget();
    }
    // Thousands that are not it ask less often, and not together.
    const ms = isSweeper ? everyMs : everyMs * (1 + random());
    await sleep(ms * (0.9 + random() / 10), undefined, { signal }).catch(() => {});
  }
}

/** @returns whether this process is the sweeper now. @throws SelvedgeError store */
function candidacy({ api, leases, holder, livenessSeconds }: SweeperOptions, everyMs: number) {
  const tenure = { holder, seconds: livenessSeconds };
  const silences = watchfulness(4 * everyMs);
  return async (): Promise<boolean> => {
    const askedMs = performance.now();
    const object = await api.get(leases, NAME);
    if (object === undefined) return (await api.create(leases, leaseObject(NAME, tenure))) !== undefined;
    const lease = readable(() => leaseOf(object));
    if (lease !== undefined && lease.holder !== holder && !silences.has(lease, askedMs)) return false;
    const { version } = headOf(object);
    return (await api.replace(leases, leaseObject(NAME, tenure, version))) !== undefined;
  };
}

function broom({ api, leases }: SweeperOptions, everyMs: number) {
  let silences = watchfulness(1.5 * everyMs);
  return {
    forget(): void {
      silences = watchfulness(1.5 * everyMs);
    },
    /** @throws SelvedgeError store */
    async sweep(): Promise<void> {
      // First: whoever puts something has made its Lease before.
      const put = await Promise.all(
        KINDS.map(async (kind) => ({ kind, items: (await api.list(kind, { labelled: SESSION })).items })),
      );
      const alive = new Set<string>();
      const known = new Set<string>();
      const askedMs = performance.now();
      for (const object of (await api.list(leases, { labelled: SESSION })).items) {
        const lease = readable(() => leaseOf(object));
        if (lease === undefined || lease.name === NAME) continue;
        known.add(lease.name);
        const isOver =
          silences.has(lease, askedMs) && (await api.remove(leases, lease.name, lease.version)) !== "other";
        if (!isOver) alive.add(lease.name);
      }
      silences.keep(known);
      for (const { kind, items } of put)
        for (const { metadata } of items) {
          const { name, resourceVersion, labels } = metadata;
          if (!alive.has(labels?.[SESSION] ?? "")) await api.remove(kind, name, resourceVersion);
        }
    },
  };
}

/** @param mostMs longer than that between two looks counts as that: nobody could be heard meanwhile, or nobody listened */
function watchfulness(mostMs: number) {
  const seen = new Map<string, Silence>();
  return {
    /** Whether it has been silent for as long as it holds, up to when it was asked for. */
    has({ name, version, durationMs }: Lease, askedMs: number): boolean {
      const before = seen.get(name);
      const ms = before?.version === version ? before.ms + Math.min(mostMs, Math.max(0, askedMs - before.toldMs)) : 0;
      seen.set(name, { version, ms, toldMs: performance.now() });
      return ms >= durationMs;
    },
    /** Forgets the others. */
    keep(names: ReadonlySet<string>): void {
      for (const name of seen.keys()) if (!names.has(name)) seen.delete(name);
    },
  };
}
