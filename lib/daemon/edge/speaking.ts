/** FRR on this node, kept at what the routers should hear of it. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { type Address, family, fromBytes, hostPrefix, networkOf, type Prefix } from "#lib/address.ts";
import type { Edge as EdgeConfig } from "#lib/config/edge.ts";
import { backoffMs } from "#lib/edge/backoff.ts";
import { type SpeakerView, speakerText } from "#lib/edge/speaker.ts";
import { type CalledRouter, speakerSpec, spokenPools } from "#lib/edge/speaker-spec.ts";
import { isFailure } from "#lib/errors.ts";
import type { Session } from "#lib/frr/sessions.ts";
import type { Speaker } from "#lib/frr/speaker.ts";
import type { Core } from "../core.ts";
import type { Resources } from "../resources/resources.ts";
import { type Called, type Calling, calledRouters } from "./called.ts";
import { type EdgePools, edgePools, ownAddresses, ownDestinations } from "./view.ts";

export type SpeakingCore = Pick<Core, "cluster" | "config" | "ipam" | "node" | "log" | "nowMs" | "clockUs"> & {
  readonly resources?: Pick<Resources, "isTold">;
};

export interface Speaking {
  /** What is due. Reports its own failures. */
  pass(): Promise<void>;
  /** Why FRR does not say to a router what it should; undefined: it does. */
  troubleWith(router: string): string | undefined;
  /** By address of a router. None while FRR does not answer. */
  sessions(): Promise<ReadonlyMap<Address, Session>>;
}

export interface SpeakingOptions {
  readonly speaker: Speaker;
  readonly config: Pick<EdgeConfig, "speaker">;
  /** Of the configuration of the moment. */
  readonly routers: () => readonly Calling[];
  /** From 0 to 1. */
  readonly random: () => number;
}

export function speaking(core: SpeakingCore, { speaker, config, routers, random }: SpeakingOptions): Speaking {
  const { log, nowMs, clockUs } = core;
  const called = calledRouters(nowMs, random);
  let troubles: Called["troubles"] = new Map();
  let trouble: string | undefined;
  let failures = 0;
  let againMs = 0;
  /** What an earlier daemon had FRR say is taken back, too. */
  let isCeased = false;
  /** What it says is this daemon's. */
  let isTold = false;

  /** @returns why FRR goes on with what an earlier daemon told it; undefined: it does not */
  const speak = async (): Promise<string | undefined> => {
    const now = await called(routers());
    for (const [router, message] of now.troubles)
      if (troubles.get(router) !== message) log({ event: "speaker-failed", message });
    troubles = now.troubles;
    if (now.awaited !== undefined && !isTold && (await speaker.isRunning())) return now.awaited;
    const pools = edgePools(core);
    const node = { pools, addresses: ownAddresses(core), segments: segmentsOf(core), egress: egressAddresses(core) };
    const spec = speakerSpec(now.routers, node, config.speaker);
    if (spec === undefined) {
      // Kubernetes may have the routers that an earlier daemon had FRR call, and has not told of them yet.
      if (isCeased || core.resources?.isTold === false) return undefined;
      await speaker.cease();
      isCeased = true;
      return undefined;
    }
    isCeased = false;
    const view: SpeakerView = { id: identifierOf(core), networks: networksOf(core, now.routers, pools) };
    const beganUs = clockUs();
    const isNew = await speaker.follow(speakerText(spec, view));
    isTold = true;
    if (!isNew) return undefined;
    const tookMs = Math.round((clockUs() - beganUs) / 1_000);
    log({ event: "speaker-told", neighbours: spec.neighbours.length, networks: view.networks.length, tookMs });
    return undefined;
  };

  return {
    troubleWith: (router) => trouble ?? troubles.get(router),
    async pass() {
      if (nowMs() < againMs) return;
      try {
        trouble = await speak();
        failures = 0;
      } catch (error) {
        if (!isFailure(error)) throw error;
        if (trouble !== error.message) log({ event: "speaker-failed", message: error.message });
        trouble = error.message;
        failures += 1;
        againMs = nowMs() + backoffMs(failures, random);
      }
    },
    async sessions() {
      try {
        return new Map((await speaker.sessions()).map((session) => [session.address, session]));
      } catch (error) {
        if (!isFailure(error)) throw error;
        return new Map();
      }
    },
  };
}

const segmentsOf = ({ cluster, node }: SpeakingCore): readonly Prefix[] =>
  cluster?.record.segments ?? node.networks.map(({ address }) => networkOf(address));

const egressAddresses = ({ config }: Pick<Core, "config">): Address[] =>
  (config.cluster?.egress ?? []).flatMap(({ addresses }) => addresses);

/** What the node knows itself to have is true though the store is away. */
function networksOf(core: SpeakingCore, routers: readonly CalledRouter[], pools: EdgePools) {
  const spoken = spokenPools(routers, pools);
  const held = core.cluster?.egress().filter(({ exit }) => exit === "here") ?? [];
  return [
    ...ownDestinations(core.cluster, pools)
      .filter(({ pool }) => spoken.has(pool))
      .map(({ prefix }) => prefix),
    ...held.map(({ address }) => hostPrefix(address)),
  ];
}

/** The preferred IPv4 address; for a node that has none a number that follows from who it is (RFC 6286 asks for no more). */
function identifierOf(core: SpeakingCore): Address {
  const own = ownAddresses(core).find((each) => family(each) === 4);
  if (own !== undefined) return own;
  const name = core.cluster?.self.uid ?? hostname();
  return fromBytes(createHash("sha256").update(name).digest().subarray(0, 4));
}
