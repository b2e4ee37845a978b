/** Resources with a store, a server and routers that there are in memory alone, and what was said of them. */
import { parseConfig } from "#lib/config/config.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { ipam } from "#lib/ipam/ipam.ts";
import type { Said, Warning } from "#lib/k8s/objects.ts";
import type { Event } from "#lib/log.ts";
import { memory } from "#lib/store/memory.ts";
import { contested } from "../contested.ts";
import type { Core } from "../core.ts";
import type { RouterState } from "../edge/router-status.ts";
import { table } from "../table.ts";
import { poolsOf } from "./pools.ts";
import { beginning, openResources } from "./resources.ts";

export const FILE = `
kubernetes: { resources: true }
pools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }]
`;
export const object = (kind: string, name: string, spec: object, more: object = {}) => ({
  apiVersion: "selvedge.dev/v1alpha1",
  kind,
  metadata: { name, uid: `u-${name}`, generation: 1 },
  spec,
  ...more,
});
export const POOL = object("AddressPool", "media", { ranges: [[{ subnet: "10.2.0.0/24" }]] });
export const NETWORK = object("Network", "media", { pool: "media" });

/** @param cluster of which the node is one; absent: it is alone */
export async function opened(store = memory(), cluster?: object, file = FILE) {
  const said: string[] = [];
  /** What was said last, by name. */
  const statuses = new Map<string, readonly Said[]>();
  /** What else was said last, by name. */
  const besides = new Map<string, object>();
  /** Names that stand for other objects now. */
  const gone = new Set<string>();
  const warnings: Warning[] = [];
  const events: Event[] = [];
  /** Blocks that nodes have of every pool. */
  const taken = { blocks: 0 };
  const server = { isAway: false, isMute: false, forbids: "", refuses: "", refusals: 0 };
  const { own } = await store.load();
  /** By name: where routers that are followed have come to. */
  const routers = new Map<string, { config: { isObject?: true }; status: RouterState }>();
  const begun = beginning(parseConfig(file), file, own);
  if (begun === undefined) throw new Error("Kubernetes has no part in the configuration");
  const time = { nowMs: 0 };
  const clock = { coolDownMs: 0, nowMs: () => time.nowMs, clockUs: () => 0 };
  const core = {
    config: begun.config,
    ipam: ipam({ pools: poolsOf(begun.config, false), ...clock }),
    table: table(contested),
    store,
    log: (event: Event) => void events.push(event),
    nowMs: clock.nowMs,
    edge: { routers },
    ...(cluster === undefined
      ? {}
      : { cluster, blocks: { isShared: () => true, taken: () => taken.blocks, setPools: () => {} } }),
    objects: {
      async say({ kind, name }: { kind: string; name: string }, conditions: readonly Said[], more?: object) {
        if (server.isAway) throw new SelvedgeError({ kind: "not-ready" }, "it is away");
        if (server.refuses === name) {
          server.refusals += 1;
          throw new SelvedgeError({ kind: "config-invalid", field: "status" }, `${name} is invalid`);
        }
        if (server.forbids === kind) throw new SelvedgeError({ kind: "not-ready" }, `may not patch ${kind}: 403`);
        said.push(
          [kind, name, ...conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)].join(" "),
        );
        statuses.set(name, conditions);
        if (more !== undefined) besides.set(name, more);
        return !gone.has(name);
      },
      async warn(warning: Warning) {
        if (server.isMute) {
          server.refusals += 1;
          throw new SelvedgeError({ kind: "not-ready" }, "it takes no events");
        }
        warnings.push(warning);
      },
    },
  } as unknown as Core;
  const resources = openResources(core, begun);
  const names = () => [[...core.config.networks.keys()], core.config.pools.map(({ name }) => name)];
  const tell = (...objects: readonly { kind: string; metadata: { name: string } }[]) => {
    for (const each of objects) resources.listener.put(`${each.kind}/${each.metadata.name}`, each);
    resources.listener.told();
  };
  return {
    core,
    time,
    resources,
    routers,
    besides,
    taken,
    said,
    statuses,
    gone,
    warnings,
    events,
    server,
    store,
    names,
    tell,
  };
}
