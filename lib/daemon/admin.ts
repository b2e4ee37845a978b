/** The Admin service: what `selvedgectl` shows and asks for. */
import type { AdminHandlers } from "#lib/api/server.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { KeyedLock } from "#lib/lock.ts";
import type { AttachmentRecord, Change } from "#lib/store/store.ts";
import type { Workers } from "#lib/workers.ts";
import type { Leak, PoolUsage } from "#proto/selvedge_pb.ts";
import { adminCluster } from "./admin-cluster.ts";
import { adminEdge } from "./admin-edge.ts";
import { adminNetworks } from "./admin-networks.ts";
import { adminReservations } from "./admin-reservations.ts";
import { adminTenants } from "./admin-tenants.ts";
import { adminTraffic } from "./admin-traffic.ts";
import type { Core } from "./core.ts";
import { doctor } from "./doctor.ts";
import { leaks } from "./leaks.ts";
import { namespaceGone } from "./namespace-gone.ts";
import { paths } from "./path/path.ts";
import { adminPolicy } from "./policy/admin-policy.ts";
import type { Reconciler } from "./reconcile.ts";
import { removeAttachment } from "./remove.ts";
import { shown } from "./shown.ts";

export interface AdminOptions {
  readonly reconciler: Reconciler;
  readonly reconcileNow: () => Promise<void>;
  readonly lock: KeyedLock;
  readonly workers: Workers;
  readonly version: string;
  /** Where the state is kept, for people. */
  readonly storeName: string;
}

export function admin(core: Core, options: AdminOptions): AdminHandlers {
  const { reconciler, lock, workers } = options;
  const startedMs = core.nowMs();

  const pools = (): PoolUsage[] =>
    core.ipam.usage().map((pool) => ({
      name: pool.name,
      ranges: pool.ranges,
      size: Number(pool.size),
      used: pool.used,
      cooling: pool.cooling,
      reserved: pool.reserved,
      nextFreeMs: pool.nextFreeMs ?? 0,
    }));

  return {
    ...adminReservations(core),
    ...adminTraffic(core),
    ...adminTenants(core),
    ...adminNetworks(core),
    ...adminPolicy(core),
    ...adminCluster(core),
    tracePath: paths(core),
    ...adminEdge(core),
    getStatus: async () => ({
      ready: core.waitingFor.size === 0,
      waitingFor: [...core.waitingFor],
      version: options.version,
      uptimeMs: core.nowMs() - startedMs,
      attachments: core.table.size,
      adding: core.table.inPhase("adding"),
      deleting: core.table.inPhase("deleting"),
      queued: workers.queued,
      running: workers.running,
      rssBytes: process.memoryUsage.rss(),
      lastReconcile: reconciler.last.atMs === 0 ? "" : iso(reconciler.last.atMs),
      lastReconcileMs: reconciler.last.tookMs,
      repairs: reconciler.last.repairs,
      pools: pools(),
      kernelRelease: core.node.kernelRelease,
      pathMtu: core.node.pathMtu,
      store: options.storeName,
      linkRemovalsPending: [...core.hosts.values()].reduce((n, { kernel }) => n + kernel.pendingRemovals, 0),
      stale: [...(core.policies?.refused ?? [])].map(([name, message]) => `${name}: ${message}`),
    }),

    listAttachments: async ({ network, pod }) => ({
      attachments: await Promise.all(
        [...core.table]
          .filter((record) => network === "" || record.network === network)
          .filter((record) => pod === "" || (record.pod ?? "").includes(pod))
          .map((record) => shown(core, record)),
      ),
    }),

    getTrace: async (key) => {
      const trace = core.traces.of(key);
      if (trace === undefined)
        throw new SelvedgeError(
          { kind: "config-invalid", field: "attachment" },
          `no trace of ${key.containerId} ${key.ifname}: the daemon keeps those of its newest attachments since it started`,
        );
      return {
        key,
        traceparent: trace.traceparent,
        spans: trace.spans.map(({ step, startUs, durationUs }) => ({
          name: step,
          startUs,
          durationUs,
          lines: step === "kernel-applied" || step === "off-network" ? trace.lines() : [],
        })),
      };
    },

    listPools: async () => ({ pools: pools() }),

    listLeases: async ({ pool }) => ({
      leases: [
        ...core.ipam.leases(pool === "" ? undefined : pool).map((lease) => ({
          pool: lease.pool,
          address: lease.address,
          owner: { containerId: lease.containerId, ifname: lease.ifname },
          pod: core.table.ofInterface(lease)?.pod ?? "",
          since: iso(lease.sinceMs),
          coolingMs: 0,
        })),
        ...core.ipam.cooling(pool === "" ? undefined : pool).map((coolDown) => ({
          pool: coolDown.pool,
          address: coolDown.address,
          pod: "",
          since: iso(coolDown.releasedMs),
          coolingMs: coolDown.remainingMs,
        })),
      ],
    }),

    findLeaks: async () => ({ leaks: leaks(core) }),

    freeLeaks: async ({ names }) => {
      const freed: Leak[] = [];
      for (const leak of leaks(core)) {
        if (!names.includes(leak.name) || leak.lease?.owner === undefined) continue;
        const { leases, coolDowns } = core.ipam.ending(leak.lease.owner);
        await core.store.commit([
          ...leases.map((l): Change => ({ remove: "lease", pool: l.pool, address: l.address })),
          ...coolDowns.map((value): Change => ({ put: "coolDown", value })),
        ]);
        core.ipam.release(leak.lease.owner);
        freed.push(leak);
      }
      return { leaks: freed };
    },

    doctor: () => doctor(core, reconciler),

    plan: async () => ({ lines: await reconciler.plan() }),

    reconcile: async () => {
      const lines = await reconciler.plan();
      await options.reconcileNow();
      return { lines };
    },

    collectGarbage: async ({ dryRun }) => {
      const stale: AttachmentRecord[] = [];
      for (const record of core.table)
        if (record.phase === "ready" && (await namespaceGone(core, record))) stale.push(record);
      const gone = stale.map((record) => shown(core, record));
      if (!dryRun)
        for (const { containerId, ifname } of stale)
          await lock(containerId, async () => {
            const record = core.table.get({ containerId, ifname });
            if (record !== undefined && (await namespaceGone(core, record))) await removeAttachment(core, record);
          });
      return { attachments: await Promise.all(gone) };
    },
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
