/**
 * The Node service: every verb behind the same door. One lock for each container, a bounded pool of workers for what
 * changes the node, and every failure as a CNI error and a line in the log.
 */
import type { Call, NodeHandlers } from "#lib/api/server.ts";
import { toCniError } from "#lib/cni/error.ts";
import type { Reply, Request, Verb } from "#lib/cni/types.ts";
import { isFailure } from "#lib/errors.ts";
import type { KeyedLock } from "#lib/lock.ts";
import type { Change } from "#lib/store/store.ts";
import type { Workers } from "#lib/workers.ts";
import { add } from "./add.ts";
import { check } from "./check.ts";
import { collect } from "./collect.ts";
import type { Core } from "./core.ts";
import { del } from "./del.ts";
import { addressesOf } from "./record.ts";
import { devicesOf } from "./shown-devices.ts";
import { status } from "./status.ts";
import type { Recording } from "./trace.ts";

export interface Verbs extends NodeHandlers {
  /** A DEL from the queue, in its turn; rejects where the handler would answer with an error. */
  replayDel(request: Request, alsoCommit: readonly Change[]): Promise<void>;
}

export function verbs(core: Core, { lock, workers }: { lock: KeyedLock; workers: Workers }): Verbs {
  const exclusively = <T>(
    request: Request,
    work: (trace: Recording) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> => {
    const trace = core.traces.record(request, request.traceparent);
    return lock(request.containerId, () =>
      workers.run(
        groupOf(request),
        () => {
          trace.ended("queued");
          return work(trace);
        },
        signal,
      ),
    );
  };

  /** Milliseconds since `fromUs`, with one decimal. */
  const since = (fromUs: number) => Math.round((core.clockUs() - fromUs) / 100) / 10;

  const answer = async (verb: Verb, request: Request, work: (beganUs: number) => Promise<string>): Promise<Reply> => {
    const beganUs = core.clockUs();
    try {
      return { result: Buffer.from(await work(beganUs)) };
    } catch (error) {
      const { containerId: container, ifname } = request;
      if (isFailure(error))
        core.log({
          event: "refused",
          verb,
          container,
          ifname,
          kind: error.failure.kind,
          message: error.message,
          tookMs: since(beganUs),
        });
      else
        core.log({
          event: "failed",
          verb,
          container,
          ifname,
          message: error instanceof Error ? error.message : String(error),
          stack: error instanceof Error ? (error.stack ?? "") : "",
        });
      return { result: new Uint8Array(), error: toCniError(error, verb) };
    }
  };

  const deleted = async (request: Request, alsoCommit: readonly Change[], beganUs: number): Promise<void> => {
    const network = core.table.get(request)?.network ?? "";
    const known = await exclusively(request, (trace) => del(core, request, trace, alsoCommit));
    const { containerId: container, ifname } = request;
    core.log({ event: "detached", container, ifname, network, known, tookMs: since(beganUs) });
  };

  return {
    add: (request, { signal }: Call) =>
      answer("ADD", request, async (beganUs) => {
        const result = await exclusively(request, (trace) => add(core, request, trace, signal), signal);
        const record = core.table.get(request);
        const devices = record === undefined ? [] : await devicesOf(core, record).catch(nothing);
        core.log({
          event: "attached",
          container: request.containerId,
          ifname: request.ifname,
          network: record?.network ?? "",
          addresses: record === undefined ? [] : addressesOf(record),
          ...(devices.length === 0 ? {} : { devices }),
          tookMs: since(beganUs),
          ...(request.traceparent === "" ? {} : { traceparent: request.traceparent }),
        });
        return result;
      }),
    del: (request) =>
      answer("DEL", request, async (beganUs) => {
        await deleted(request, [], beganUs);
        return "";
      }),
    // CHECK is on CRI-O's way to a started pod: it waits for its container, not for a worker.
    check: (request) =>
      answer("CHECK", request, async (beganUs) => {
        await lock(request.containerId, () => check(core, request));
        const { containerId: container, ifname } = request;
        core.log({ event: "checked", container, ifname, differences: 0, tookMs: since(beganUs) });
        return "";
      }),
    gc: (request) =>
      answer("GC", request, async (beganUs) => {
        core.log({ event: "collected", ...(await collect(core, request, lock)), tookMs: since(beganUs) });
        return "";
      }),
    status: (request) =>
      answer("STATUS", request, async () => {
        await status(core, request);
        return "";
      }),
    replayDel: (request, alsoCommit) => deleted(request, alsoCommit, core.clockUs()),
  };
}

/** The pod is attached by then: what only the log would tell must not refuse it. */
function nothing(error: unknown): [] {
  if (!isFailure(error)) throw error;
  return [];
}

/** Pods of one Kubernetes namespace queue together, so that one tenant's storm leaves the others their turn. */
function groupOf({ args, containerId }: Request): string {
  return /(?:^|;)K8S_POD_NAMESPACE=([^;]*)/.exec(args)?.[1] ?? containerId;
}
