/** What became of Kubernetes' objects, said where people look: in their status, and once in an Event. */
import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { turn } from "#lib/cluster/blocks.ts";
import { RESOURCE_KINDS } from "#lib/config/resource-kinds.ts";
import { isFailure } from "#lib/errors.ts";
import { STATUS_FIELD, type Warning } from "#lib/k8s/objects.ts";
import type { Core } from "../core.ts";
import type { RouterState } from "../edge/router-status.ts";
import { conditionsOf, type Known } from "./conditions.ts";
import { owed } from "./owed.ts";
import { isNews, routerSaid } from "./router-said.ts";
import type { Condition, Told } from "./told.ts";
import { untaken } from "./untaken.ts";

/** Says what has not been said yet, where this node is the one to say it. Reports its own failures. */
export function saying(
  core: Core,
  judgedOf: (told: Told) => Pick<Known, "refusal" | "lacking">,
): (all: readonly Told[]) => Promise<void> {
  const { log, nowMs } = core;
  const warnings = owed(nowMs, Math.random);
  const refusals = untaken(nowMs);
  /** By name of a router: when something was said of it last, milliseconds since the epoch. */
  const saidMs = new Map<string, number>();
  /** Why what is to be said could not be. */
  let unsaid: ReadonlySet<string> = new Set();

  /** Nodes that share nothing would each say how much it has itself, over what the others have said. */
  const blocksOf = ({ kind, name }: Told): number | undefined =>
    kind === "AddressPool" && core.blocks?.isShared(name) === true ? core.blocks.taken(name) : undefined;

  return async (all) => {
    const { say, warn } = core.objects ?? {};
    if (say === undefined || !isHeard(core)) return;
    const by = core.cluster?.self.name ?? hostname();
    const failures = new Set<string>();
    const guarded = (work: () => Promise<void>): Promise<void> =>
      work().catch((error: unknown) => {
        if (!isFailure(error)) throw error;
        failures.add(error.message);
      });
    // What may not be said of one kind holds up no other; a server that is away is not asked for each object.
    for (const { kind } of RESOURCE_KINDS)
      await guarded(async () => {
        for (const told of all.filter((each) => each.kind === kind)) {
          const state = stateFor(core, told);
          // A node that has just started, or finds the router paused, does not know yet who writes to it.
          if (!isSpeaker(core, state?.writer || told.router?.writer)) continue;
          const conditions = conditionsOf(told, { ...judgedOf(told), blocks: blocksOf(told), router: state }, nowMs());
          const router = state === undefined ? told.router : routerSaid(state, told.router);
          const isOther = isNews(told.router, router, nowMs());
          if (conditions === undefined && !isOther) continue;
          const { name, uid } = told;
          const now = conditions ?? told.conditions;
          const isPatient = kind === "Router" && !isOther && isReworded(told.conditions, now);
          if (isPatient && nowMs() - (saidMs.get(name) ?? 0) < WORDS_MS) continue;
          const why = refusals.why(told);
          if (why !== undefined) failures.add(why);
          const isThere =
            why === undefined &&
            (await say(told, now, router).catch((error: unknown) => {
              if (!isFailure(error, "config-invalid") || error.failure.field !== STATUS_FIELD) throw error;
              refusals.note(told, error.message);
              failures.add(error.message);
              return false;
            }));
          if (kind === "Router") saidMs.set(name, nowMs());
          if (!isThere) continue;
          for (const trouble of newTroubles(told.conditions, now))
            warnings.add({ kind, name, uid, ...trouble, by, atMs: nowMs() });
        }
      });
    const unwarned = await warnings.give(async (each) => warn?.(each));
    if (unwarned !== undefined) failures.add(unwarned);
    for (const message of failures) if (!unsaid.has(message)) log({ event: "resources-failed", message });
    unsaid = failures;
  };
}

/** What a router that fails, or is held, says why may be in other words after each look. */
const WORDS_MS = 10_000;

const isReworded = (before: readonly Condition[], now: readonly Condition[]): boolean => {
  const bare = (all: readonly Condition[]) => all.map(({ message: _, ...condition }) => condition);
  return isDeepStrictEqual(bare(before), bare(now));
};

/** Reasons why a router is not ready that stay until a person, or the router's operator, does something. */
const LASTING: ReadonlySet<string> = new Set(["Conflict", "Held", "Drifted", "Paused", "Open"]);

/** What people who look at events are to hear of: a refusal in its words, what a router has come to once while it is so. */
function newTroubles(
  before: readonly Condition[],
  now: readonly Condition[],
): readonly Pick<Warning, "action" | "reason" | "message">[] {
  return now
    .filter(({ type, status, reason, message }) => {
      const earlier = before.find((each) => each.type === type);
      if (status !== "False" || (type === "Ready" && !LASTING.has(reason))) return false;
      if (type === "Accepted") return earlier?.status !== "False" || earlier.message !== message;
      return type === "Ready" && earlier?.reason !== reason;
    })
    .map(({ type, reason, message }) => ({ action: type === "Accepted" ? "Accept" : "Follow", reason, message }));
}

/** Of a router; undefined where it is not followed, or is one of the file's. */
function stateFor({ edge }: Core, { kind, name }: Told): RouterState | undefined {
  const router = kind === "Router" ? edge?.routers.get(name) : undefined;
  return router?.config.isObject === true ? router.status : undefined;
}

/** Enough is known of the other nodes. */
const isHeard = ({ cluster }: Core): boolean =>
  cluster === undefined || (cluster.informed && cluster.connected === true);

/**
 * One node speaks for all: thousands would come to the same, and write it thousands of times. Two that do not know of
 * each other yet say the same.
 * @param writer the node that knows most of it, if there is one: while it is there it is the one
 */
function isSpeaker({ cluster }: Core, writer = ""): boolean {
  if (cluster === undefined) return true;
  const there = [...cluster.view.nodes.keys()].filter((name) => cluster.peers.get(name)?.liveness !== "dead");
  if (there.includes(writer)) return writer === cluster.self.name;
  return turn(cluster.self.name, "resources", there) === 0;
}
