/** Tells Kubernetes of pods' networks, behind the ADDs that made them, until it was heard. */
import { setTimeout as sleep } from "node:timers/promises";
import { backoff } from "#lib/backoff.ts";
import { isFailure } from "#lib/errors.ts";
import type { PodName } from "#lib/k8s/objects.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "../core.ts";
import { podNameOf } from "../policy/held.ts";
import { statusOf } from "./status.ts";

export interface StatusWriter {
  /** That attachment is ready: what is to be told of its pod is told when it can be. */
  want(record: AttachmentRecord): void;
  /** Ends with the signal. What has not been told by then is at the next start. */
  run(signal: AbortSignal): Promise<void>;
}

export interface StatusWriterOptions {
  /** What Kubernetes was told last of that pod (`namespace/name`), as far as is known. */
  readonly standing: (pod: string) => string | undefined;
  /** Returns whether the pod is there. @throws SelvedgeError not-ready */
  readonly write: (pod: PodName, status: string) => Promise<boolean>;
  /** Between tries, ms. */
  readonly firstMs?: number;
  readonly longestMs?: number;
}

interface News {
  readonly pod: PodName;
  readonly text: string;
  readonly networks: readonly string[];
}

export function statusWriter(
  { table, log }: Pick<Core, "table" | "log">,
  { standing, write, firstMs = 500, longestMs = 60_000 }: StatusWriterOptions,
): StatusWriter {
  /** Attachments by their pods: the newest of each, since a pod's sandbox may be replaced. */
  const wanted = new Map<string, AttachmentRecord>();
  const wait = backoff({ firstMs, longestMs, random: Math.random });
  let wake = Promise.withResolvers<void>();
  let trouble = "";

  /** What is told of it now; undefined: nothing has changed, or it is no more. */
  const untold = (record: AttachmentRecord): News | undefined => {
    const current = table.get(record);
    const pod = podNameOf(record);
    const status = current === undefined ? undefined : statusOf(current);
    if (pod === undefined || status === undefined || current?.createdMs !== record.createdMs) return undefined;
    const text = JSON.stringify(status);
    const networks = status.map((each) => each.name);
    return text === standing(record.pod ?? "") ? undefined : { pod, text, networks };
  };

  /** Returns how long to wait before the next try, ms; undefined: all was told. */
  const round = async (): Promise<number | undefined> => {
    for (const [name, record] of wanted) {
      const news = untold(record);
      try {
        if (news !== undefined && (await write(news.pod, news.text)))
          log({ event: "network-status-written", pod: name, networks: news.networks });
      } catch (error) {
        if (!isFailure(error)) throw error;
        if (error.message !== trouble) log({ event: "network-status-failed", pod: name, message: error.message });
        trouble = error.message;
        // Others come before it is tried again: it may be what is said of this one pod.
        if (wanted.get(name) === record) {
          wanted.delete(name);
          wanted.set(name, record);
        }
        return wait.next();
      }
      trouble = "";
      wait.reset();
      if (wanted.get(name) === record) wanted.delete(name);
    }
    return undefined;
  };

  const want = (record: AttachmentRecord): void => {
    if (record.pod === undefined || statusOf(record) === undefined) return;
    wanted.set(record.pod, record);
    wake.resolve();
  };
  return {
    want,
    async run(signal) {
      for (const record of [...table].toSorted((a, b) => a.createdMs - b.createdMs)) want(record);
      const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      while (!signal.aborted) {
        wake = Promise.withResolvers<void>();
        const ms = await round();
        if (ms === undefined) await (wanted.size > 0 ? undefined : Promise.race([wake.promise, ended]));
        else await sleep(ms, undefined, { signal }).catch(() => {});
      }
    },
  };
}
