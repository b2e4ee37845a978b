/** The part of the Admin service that is about the routers at the edge. */

import type { Address } from "#lib/address.ts";
import type { AdminHandlers } from "#lib/api/server.ts";
import type { Change } from "#lib/edge/change.ts";
import { lineOf } from "#lib/edge/path.ts";
import type { Push as PushRecord } from "#lib/edge/record.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Session } from "#lib/frr/sessions.ts";
import { BgpSession, type Finding, type Push, type Router, type RouterPlan } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";
import type { EdgeRouterHandle } from "./edge/driven.ts";
import { type Edge, routerNamed } from "./edge/edge.ts";
import { examine } from "./edge/examine.ts";
import { examineSessions } from "./edge/examine-sessions.ts";
import { conflictText } from "./edge/router-status.ts";
import { edgeView } from "./edge/view.ts";

type Handlers = Pick<
  AdminHandlers,
  "listRouters" | "planRouter" | "applyRouter" | "listPushes" | "rollBackRouter" | "pauseRouter" | "examineRouter"
>;

type Sessions = ReadonlyMap<Address, Session>;

export function adminEdge(core: Core): Handlers {
  const edgeOf = () => {
    if (core.edge !== undefined) return core.edge;
    throw new SelvedgeError(
      { kind: "config-invalid", field: "edge" },
      "there are no routers: the configuration of this node has no section `edge`",
    );
  };
  const on = async <T>(name: string, work: (router: EdgeRouterHandle) => Promise<T>): Promise<T> =>
    edgeOf().alone(name, work);
  /** Whoever could not write lets another go on with it. @throws SelvedgeError not-ready, store */
  const beWriter = async (router: EdgeRouterHandle): Promise<void> => {
    edgeView(core);
    await router.beWriter();
  };

  return {
    listRouters: async () => {
      const edge = edgeOf();
      const sessions = await edge.speaking?.sessions();
      return {
        routers: [...edge.routers.values()].map((router) => ({
          ...shown(router),
          sessions: sessionsOf(router, sessions),
        })),
      };
    },
    planRouter: ({ name }) => on(name, async ({ pusher }) => planned((await pusher.plan(edgeView(core))).change)),
    applyRouter: ({ name }) =>
      on(name, async (router) => {
        await beWriter(router);
        await router.pusher.pass(edgeView(core), "asked");
        return shown(router);
      }),
    listPushes: async ({ name }) => ({
      pushes: (await routerNamed(edgeOf(), name).pusher.history()).map(pushShown),
    }),
    rollBackRouter: ({ name, revision }) =>
      on(name, async (router) => {
        await beWriter(router);
        const lost = await router.pusher.rollback(edgeView(core), revision);
        return { router: shown(router), lost: [...lost] };
      }),
    pauseRouter: ({ name, resume, why }) =>
      on(name, async (router) => {
        if (resume) {
          await router.pusher.resume();
          await router.pusher.pass(edgeView(core), "time");
        } else await router.pusher.pause(why === "" ? "asked for" : why);
        return shown(router);
      }),
    examineRouter: ({ name }) =>
      on(name, async (router) => ({
        findings: [...(await examine(router, edgeView(core), core.nowMs())), ...(await heard(edgeOf(), router))],
      })),
  };
}

/** What FRR of this node has with a router. */
const sessionsOf = (router: EdgeRouterHandle, sessions: Sessions = new Map()): BgpSession[] =>
  (router.config.bgp?.addresses ?? []).flatMap((address) => {
    const session = sessions.get(address);
    return session === undefined ? [] : [BgpSession.of({ ...session })];
  });

async function heard(edge: Edge, router: EdgeRouterHandle): Promise<Finding[]> {
  const { speaking } = edge;
  if (speaking === undefined || router.config.bgp === undefined) return [];
  return examineSessions(
    router.config.bgp.addresses,
    await speaking.sessions(),
    speaking.troubleWith(router.config.name),
  );
}

function shown({ config, waitingSinceMs, status: whole }: EdgeRouterHandle): Router {
  const { inSyncMs, nextMs, isUnsaved, conflicts, intruders, refused, counted, lastPush: _, ...status } = whole;
  return {
    name: config.name,
    url: config.url,
    ...status,
    ...counted,
    sessions: [],
    waitingSince: time(waitingSinceMs ?? 0),
    inSync: time(inSyncMs),
    next: time(nextMs),
    unsaved: isUnsaved,
    object: config.isObject === true,
    conflicts: conflicts.map(conflictText),
    intruders: [...intruders],
    refused: refused.map(({ at, message }) => `${at}: ${message}`),
  };
}

const planned = ({ deletes, sets, conflicts, intruders }: Change): RouterPlan => ({
  commands: [...deletes.map((path) => `delete ${lineOf(path)}`), ...sets.map((path) => `set ${lineOf(path)}`)],
  conflicts: conflicts.map(conflictText),
  intruders: [...intruders],
});

const pushShown = ({ steps, atMs, tries, message, ...push }: PushRecord): Push => ({
  ...push,
  message: tries === undefined ? message : `tried ${tries} times${message === "" ? "" : `: ${message}`}`,
  at: time(atMs),
  lines: steps.flatMap(({ removed, added }) => [
    ...removed.map((line) => `- ${line}`),
    ...added.map((line) => `+ ${line}`),
  ]),
});

const time = (ms: number): string => (ms === 0 ? "" : new Date(ms).toISOString());
