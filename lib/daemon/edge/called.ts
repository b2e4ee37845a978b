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
}

interface Failing {
  /** With those settings. */
  readonly router: Calling["router"];
  readonly failures: number;
  readonly againMs: number;
  readonly message: string;
}

/**
 * Of a router whose password cannot be had FRR goes on with what it was told last.
 * @param random from 0 to 1
 * @returns what throws SelvedgeError not-ready: a secret cannot be read now, and what was told last is not known either
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
      if (!isFailure(error) || (!last.has(name) && isFailure(error, "not-ready"))) throw error;
      const failures = isSame ? before.failures + 1 : 1;
      const { message } = error;
      failing.set(name, { router, failures, againMs: nowMs() + backoffMs(failures, random), message });
    }
  };

  return async (all) => {
    const names = new Set(all.map(({ router }) => router.name));
    for (const each of [last, failing]) for (const name of each.keys()) if (!names.has(name)) each.delete(name);
    for (const each of all) await ask(each);
    return {
      routers: all.flatMap(({ router }) => last.get(router.name) ?? []),
      troubles: new Map([...failing].map(([name, { message }]) => [name, message])),
    };
  };
}
