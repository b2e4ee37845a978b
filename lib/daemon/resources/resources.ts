/**
 * Networks and pools that Kubernetes holds, as part of the running daemon's configuration. What is told is compared with
 * what the node has as a whole; the configuration is replaced by another one, or stays.
 */
import { hostname } from "node:os";
import { turn } from "#lib/cluster/blocks.ts";
import type { Config } from "#lib/config/config.ts";
import { type Beside, besideFile, type Refusal, type Resource } from "#lib/config/resources.ts";
import { isFailure } from "#lib/errors.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import type { Named } from "#lib/store/store.ts";
import type { Core } from "../core.ts";
import { decide, keyOf } from "./decide.ts";
import { changesOf, keptOf } from "./kept.ts";
import { mistakeIn, poolsOf, withKnown } from "./pools.ts";
import { hearResources, type Told } from "./told.ts";
import { usesHere } from "./uses.ts";
import { verdictOf } from "./verdict.ts";

export interface Resources {
  readonly listener: Listener;
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
    taken: kept.filter((each) => !found.refused.has(each)),
  };
}

const withResources = (config: Config, { pools, networks }: Config): Config => ({ ...config, pools, networks });

export function openResources(core: Core, { beside, taken: kept }: Beginning): Resources {
  const { log, store, nowMs } = core;
  let taken = kept;
  /** By kind and name. */
  let refused: ReadonlyMap<string, Refusal> = new Map();
  let isDue = false;
  let pools = poolsOf(core.config, core.blocks !== undefined);
  let trouble = "";

  const heard = hearResources(() => {
    isDue = true;
    resources.onTold();
  });

  const become = async (now: readonly Resource[], next: Config): Promise<boolean> => {
    const changes = changesOf(taken, now);
    if (changes.length === 0) return false;
    const config = withResources(core.config, next);
    const read = withKnown(poolsOf(config, core.blocks !== undefined), pools);
    await store.commit(changes);
    taken = now;
    pools = read;
    // From here to the end nothing waits: whoever looks sees all of it.
    core.config = config;
    core.ipam.setPools(pools);
    core.blocks?.setPools(pools, leavingOf(config));
    const names = (kind: Resource["kind"]) => now.filter((each) => each.kind === kind).map(({ name }) => name);
    log({ event: "resources-taken", networks: names("Network"), pools: names("AddressPool") });
    return true;
  };

  const refuse = (found: ReadonlyMap<Told, Refusal>): void => {
    const now = new Map([...found].map(([told, refusal]) => [keyOf(told), refusal]));
    for (const [object, { message }] of now)
      if (refused.get(object)?.message !== message) log({ event: "resource-refused", object, message });
    refused = now;
  };

  const failed = (error: unknown): void => {
    if (!isFailure(error)) throw error;
    if (trouble !== error.message) log({ event: "resources-failed", message: error.message });
    trouble = error.message;
  };

  const resources: Resources = {
    listener: heard.listener,
    onTold: () => {},

    async take() {
      const isUsed = usesHere(core);
      const isOver = taken.some((each) => each.isLeaving === true && !isUsed(each));
      if (!heard.isTold || !(isDue || isOver)) return false;
      isDue = false;
      try {
        const decided = decide(taken, heard.all(), beside, isUsed);
        const isOther = await become(decided.taken, decided.config);
        refuse(decided.refused);
        trouble = "";
        return isOther;
      } catch (error) {
        isDue = true;
        failed(error);
        return false;
      }
    },

    async say() {
      const { say, warn } = core.objects ?? {};
      const by = core.cluster?.self.name ?? hostname();
      if (say === undefined || isDue || !heard.isTold || !isSpeaker(core)) return;
      try {
        for (const told of heard.all()) {
          const condition = verdictOf(told, refused.get(keyOf(told)), nowMs());
          if (condition === undefined) continue;
          await say(told, condition);
          const { kind, name, uid } = told;
          const { status, reason, message } = condition;
          if (status === "False") await warn?.({ kind, name, uid, reason, message, by, atMs: nowMs() });
        }
        trouble = "";
      } catch (error) {
        failed(error);
      }
    },
  };
  return resources;
}

const leavingOf = ({ pools }: Config): Set<string> =>
  new Set(pools.filter(({ isLeaving }) => isLeaving).map(({ name }) => name));

/**
 * One node speaks for all: thousands would come to the same, and write it thousands of times. Two that do not know of
 * each other yet say the same.
 */
function isSpeaker({ cluster }: Core): boolean {
  if (cluster === undefined) return true;
  if (!cluster.informed || cluster.connected !== true) return false;
  const there = [...cluster.view.nodes.keys()].filter((name) => cluster.peers.get(name)?.liveness !== "dead");
  return turn(cluster.self.name, "resources", there) === 0;
}
