/**
 * Tenants, pools, networks and routers that Kubernetes holds, as part of the running daemon's configuration. What is told is compared with
 * what the node has as a whole; the configuration is replaced by another one, or stays.
 */
import type { Config } from "#lib/config/config.ts";
import { type Beside, besideFile, type Refusal, type Resource } from "#lib/config/resources.ts";
import { isFailure } from "#lib/errors.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import type { Named } from "#lib/store/store.ts";
import type { Core } from "../core.ts";
import { type Decided, decide, goneOf, inUse, keyOf } from "./decide.ts";
import { changesOf, keptOf } from "./kept.ts";
import { mistakeIn, poolsOf, withKnown } from "./pools.ts";
import { saying } from "./saying.ts";
import { hearResources, type Told } from "./told.ts";
import { usesHere } from "./uses.ts";

export interface Resources {
  readonly listener: Listener;
  /** Everything there is was told once. */
  readonly isTold: boolean;
  /** Whether the node would begin with one of the kind. */
  keeps(kind: string): boolean;
  /** Calls back when something was told that is not taken over yet. */
  onTold: () => void;
  /** Takes over what has been told; returns whether the configuration is another. Reports its own failures. */
  take(): Promise<boolean>;
  /** Says what became of everything, where this node is the one to say it. Reports its own failures. */
  say(): Promise<void>;
}

/** What the node begins with: the file, and what it took of Kubernetes last. */
export interface Beginning {
  readonly config: Config;
  readonly beside: Beside;
  /** As the store has it. */
  readonly kept: readonly Resource[];
  /** Without what is refused of it now. */
  readonly taken: readonly Resource[];
}

/** @param text of the configuration file. Undefined where Kubernetes has no part in the configuration. */
export function beginning(config: Config, text: string, own: readonly Named[]): Beginning | undefined {
  if (config.kubernetes?.resources !== true) return undefined;
  const beside = besideFile(text, mistakeIn);
  const kept = keptOf(own);
  const found = beside(kept);
  return {
    config: withResources(config, found.config),
    beside,
    kept,
    taken: kept.filter((each) => !found.refused.has(each)),
  };
}

const withResources = (config: Config, { tenants, pools, networks, edge }: Config): Config => ({
  ...config,
  tenants,
  pools,
  networks,
  ...(edge === undefined ? {} : { edge }),
});

export function openResources(core: Core, { beside, ...begun }: Beginning): Resources {
  const { log, store } = core;
  let { kept, taken } = begun;
  /** By kind and name. */
  let refused: ReadonlyMap<string, Refusal> = new Map();
  let lacking: ReadonlyMap<string, string> = new Map();
  let isDue = false;
  let pools = poolsOf(core.config, core.blocks !== undefined);
  let trouble = "";

  const heard = hearResources(() => {
    isDue = true;
    resources.onTold();
  });

  /** @throws SelvedgeError config-invalid, store: what was in force stays so */
  const become = async (): Promise<Pick<Decided<Told>, "refused" | "lacking"> & { readonly isOther: boolean }> => {
    for (;;) {
      const isUsed = inUse(taken, usesHere(core));
      const { taken: now, config: found, ...said } = decide(taken, heard.all(), beside, isUsed);
      const config = withResources(core.config, found);
      const read = withKnown(poolsOf(config, core.blocks !== undefined), pools);
      const going = goneOf(taken, now).filter((each) => !isUsed(each));
      const changes = changesOf(kept, now);
      if (changes.length > 0) await store.commit(changes);
      kept = now;
      // Until here pods came to what goes.
      if (changes.length > 0 && going.some(inUse(taken, usesHere(core)))) continue;
      if (changesOf(taken, now).length === 0) return { isOther: false, ...said };
      taken = now;
      pools = read;
      // From here to the end nothing waits: whoever looks sees all of it.
      core.config = config;
      core.ipam.setPools(pools);
      core.blocks?.setPools(pools, leavingOf(config));
      const names = (kind: Resource["kind"]) => now.filter((each) => each.kind === kind).map(({ name }) => name);
      log({
        event: "resources-taken",
        networks: names("Network"),
        pools: names("AddressPool"),
        tenants: names("Tenant"),
        routers: names("Router"),
      });
      return { isOther: true, ...said };
    }
  };

  const refuse = (found: ReadonlyMap<Told, Refusal>): void => {
    const now = byKey(found);
    for (const [object, { message }] of now)
      if (refused.get(object)?.message !== message) log({ event: "resource-refused", object, message });
    refused = now;
  };

  const speak = saying(core, (told) => ({ refusal: refused.get(keyOf(told)), lacking: lacking.get(keyOf(told)) }));

  const failed = (error: unknown): void => {
    if (!isFailure(error)) throw error;
    if (trouble !== error.message) log({ event: "resources-failed", message: error.message });
    trouble = error.message;
  };

  const resources: Resources = {
    listener: heard.listener,
    get isTold() {
      return heard.isTold;
    },
    keeps: (kind) => kept.some((each) => each.kind === kind),
    onTold: () => {},

    async take() {
      const isUsed = inUse(taken, usesHere(core));
      const isOver = taken.some((each) => each.isLeaving === true && !isUsed(each));
      if (!heard.isTold || !(isDue || isOver)) return false;
      isDue = false;
      try {
        const now = await become();
        refuse(now.refused);
        lacking = byKey(now.lacking);
        trouble = "";
        return now.isOther;
      } catch (error) {
        isDue = true;
        failed(error);
        return false;
      }
    },

    async say() {
      if (!isDue && heard.isTold) await speak(heard.all());
    },
  };
  return resources;
}

const byKey = <T>(found: ReadonlyMap<Told, T>): Map<string, T> =>
  new Map([...found].map(([told, each]) => [keyOf(told), each]));

const leavingOf = ({ pools }: Config): Set<string> =>
  new Set(pools.filter(({ isLeaving }) => isLeaving).map(({ name }) => name));
