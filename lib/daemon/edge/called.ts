/** What FRR on this node is told of each router. One whose password cannot be had holds up no other. */
import type { EdgeRouter } from "#lib/config/edge.ts";
import { backoffMs } from "#lib/edge/backoff.ts";
import type { CalledRouter } from "#lib/edge/speaker-spec.ts";
import { isFailure } from "#lib/errors.ts";
import { calledOf, type SecretFrom } from "./spec.ts";

/** A router of the configuration that nodes call. */
export interface Calling {
  readonly router: Pick<EdgeRouter, "name" | "pools" | "bgp">;
  readonly secretFrom: SecretFrom;
}

export interface Called {
  readonly routers: readonly CalledRouter[];
  /** By name, why one is not as it is configured. */
  readonly troubles: ReadonlyMap<string, string>;
  /** Why nothing is known of one that an earlier daemon may have told FRR of; undefined: there is none such. */
  readonly awaited: string | undefined;
}

interface Failing {
  /** With those settings. */
  readonly router: Calling["router"];
  readonly failures: number;
  readonly againMs: number;
  readonly message: string;
  /** What cannot be read now was never read by this daemon. */
  readonly isAwaited: boolean;
}

/**
 * Of a router whose password cannot be had FRR goes on with what it was told last.
 * @param random from 0 to 1
 */
export function calledRouters(nowMs: () => number, random: () => number): (all: readonly Calling[]) => Promise<Called> {
  /** By name. */
  const last = new Map<string, CalledRouter>();
  const failing = new Map<string, Failing>();

  const ask = async ({ router, secretFrom }: Calling): Promise<void> => {
    const { name } = router;
    const before = failing.get(name);
    const isSame = before?.router === router;
    if (isSame && nowMs() < before.againMs) return;
    try {
      last.set(name, await calledOf(router, secretFrom));
      failing.delete(name);
    } catch (error) {
      if (!isFailure(error)) throw error;
      const failures = isSame ? before.failures + 1 : 1;
      const { message } = error;
      const isAwaited = !last.has(name) && isFailure(error, "not-ready");
      failing.set(name, { router, failures, againMs: nowMs() + backoffMs(failures, random), message, isAwaited });
    }
  };

  return async (all) => {
    const names = new Set(all.map(({ router }) => router.name));
    for (const each of [last, failing]) for (const name of each.keys()) if (!names.has(name)) each.delete(name);
    for (const each of all) await ask(each);
    return {
      routers: all.flatMap(({ router }) => last.get(router.name) ?? []),
      troubles: new Map([...failing].map(([name, { message }]) => [name, message])),
      awaited: [...failing.values()].find(({ isAwaited }) => isAwaited)?.message,
    };
  };
}
