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
  /** Attachments by their pods: the newest of each, since a pod's sandbox may be replaced. Not tried yet. */
  const fresh = new Map<string, AttachmentRecord>();
  /** Tried in vain, that which was tried last at the end. Those that come do not wait with them. */
  const refused = new Map<string, AttachmentRecord>();
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

  /** Returns false where it is to be tried again. */
  const tell = async (name: string, record: AttachmentRecord): Promise<boolean> => {
    fresh.delete(name);
    refused.delete(name);
    const news = untold(record);
    try {
      if (news !== undefined && (await write(news.pod, news.text)))
        log({ event: "network-status-written", pod: name, networks: news.networks });
    } catch (error) {
      if (!isFailure(error)) throw error;
      if (error.message !== trouble) log({ event: "network-status-failed", pod: name, message: error.message });
      trouble = error.message;
      // Others come before it is tried again: it may be what is said of this one pod.
      if (!fresh.has(name)) refused.set(name, record);
      return false;
    }
    trouble = "";
    wait.reset();
    return true;
  };

  const want = (record: AttachmentRecord): void => {
    if (record.pod === undefined || statusOf(record) === undefined) return;
    refused.delete(record.pod);
    fresh.set(record.pod, record);
    wake.resolve();
  };
  return {
    want,
    async run(signal) {
      for (const record of [...table].toSorted((a, b) => a.createdMs - b.createdMs)) want(record);
      const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      let pause: Promise<unknown> | undefined;
      while (!signal.aborted) {
        wake = Promise.withResolvers<void>();
        for (const [name, record] of fresh) if (!signal.aborted) await tell(name, record);
        if (refused.size > 0) pause ??= sleep(wait.next(), OVER, { signal }).catch(() => {});
        const came = await Promise.race([wake.promise, ended, ...(pause === undefined ? [] : [pause])]);
        if (came !== OVER) continue;
        pause = undefined;
        for (const [name, record] of refused) if (fresh.size > 0 || !(await tell(name, record))) break;
      }
    },
  };
}

/** What a pause between tries ends with. */
const OVER = "over";
