/** The part of the Admin service that is about the routers at the edge. */
import type { AdminHandlers } from "#lib/api/server.ts";
import type { Change } from "#lib/edge/change.ts";
import { lineOf } from "#lib/edge/path.ts";
import type { Push as PushRecord } from "#lib/edge/record.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Push, Router, RouterPlan } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";
import { type EdgeRouterHandle, routerNamed } from "./edge/edge.ts";
import { examine } from "./edge/examine.ts";
import { conflictText } from "./edge/pusher.ts";
import { edgeView } from "./edge/view.ts";

type Handlers = Pick<
  AdminHandlers,
  "listRouters" | "planRouter" | "applyRouter" | "listPushes" | "rollBackRouter" | "pauseRouter" | "examineRouter"
>;

export function adminEdge(core: Core): Handlers {
  const edgeOf = () => {
    if (core.edge !== undefined) return core.edge;
    throw new SelvedgeError(
      { kind: "config-invalid", field: "edge" },
      "there are no routers: the configuration of this node has no section `edge`",
    );
  };
  const on = <T>(name: string, work: (router: EdgeRouterHandle) => Promise<T>): Promise<T> => {
    const router = routerNamed(edgeOf(), name);
    return router.alone(() => work(router));
  };

  return {
    listRouters: async () => ({ routers: [...edgeOf().routers.values()].map(shown) }),
    planRouter: ({ name }) => on(name, async ({ pusher }) => planned((await pusher.plan(edgeView(core))).change)),
    applyRouter: ({ name }) =>
      on(name, async (router) => {
        await router.pusher.pass(edgeView(core), "asked");
        return shown(router);
      }),
    listPushes: async ({ name }) => ({
      pushes: (await routerNamed(edgeOf(), name).pusher.history()).map(pushShown),
    }),
    rollBackRouter: ({ name, revision }) =>
      on(name, async (router) => {
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
      on(name, async (router) => ({ findings: await examine(router, edgeView(core), core.nowMs()) })),
  };
}

function shown({ config, pusher }: EdgeRouterHandle): Router {
  const { inSyncMs, nextMs, isUnsaved, conflicts, intruders, refused, ...status } = pusher.status;
  return {
    name: config.name,
    url: config.url,
    ...status,
    inSync: time(inSyncMs),
    next: time(nextMs),
    unsaved: isUnsaved,
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

const pushShown = ({ steps, atMs, ...push }: PushRecord): Push => ({
  ...push,
  at: time(atMs),
  lines: steps.flatMap(({ removed, added }) => [
    ...removed.map((line) => `- ${line}`),
    ...added.map((line) => `+ ${line}`),
  ]),
});

const time = (ms: number): string => (ms === 0 ? "" : new Date(ms).toISOString());
