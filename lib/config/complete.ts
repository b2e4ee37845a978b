/** The configuration as the file has it, with what the file left out. */
import type { ClusterStore } from "./cluster.ts";
import type { Config } from "./config.ts";
import { EDGE_DEFAULTS, edgeOf } from "./edge-schema.ts";
import { vniOf } from "./egress-schema.ts";
import type { Shape } from "./schema.ts";
import { optionsOf } from "./shorthand.ts";

/** In a cluster policies hold, whether the configuration speaks of them or not. */
const NO_WISHES = { directory: undefined, logDenied: false, audit: false };

export function complete({
  pools,
  poolRules,
  reservations,
  networks,
  planeRules,
  sriov,
  tenants,
  cluster,
  edge,
  kubernetes,
  policies,
  defaults: given,
  ...rest
}: Shape): Config {
  const defaults = present(given);
  return {
    ...rest,
    defaults,
    sriov: present({ ...sriov, pools: sriov.pools.map(present) }),
    pools: pools.map((pool, i) => ({ ...pool, ranges: { path: `pools[${i}].ranges`, value: pool.ranges } })),
    poolRules: poolRules.map(present),
    reservations: reservations.map(({ pool, ...each }) => ({ ...present(each), pool: pool ?? rest.defaultPool })),
    ...(cluster === undefined
      ? {}
      : {
          cluster: {
            ...cluster,
            node: present(cluster.node),
            store: storeOf(cluster.store),
            wireguard: present(cluster.wireguard),
            egress: cluster.egress.map((each) => ({
              ...present(each),
              vni: vniOf(each),
              pods: each.pods.map(present),
            })),
          },
        }),
    ...(edge === undefined && kubernetes?.resources !== true ? {} : { edge: edgeOf(edge ?? EDGE_DEFAULTS) }),
    ...(kubernetes === undefined ? {} : { kubernetes: present(kubernetes) }),
    ...(policies === undefined && kubernetes === undefined ? {} : { policies: present(policies ?? NO_WISHES) }),
    tenants: new Map(tenants.map(({ dns: _, ...tenant }) => [tenant.name, tenant])),
    networks: new Map(
      networks.map(
        (
          { routes, dns, options, pool, pools, planes, parent, bridge, vlan, qos, podQos, encapsulation, ...network },
          i,
        ) => [
          network.name,
          {
            ...defaults,
            ...present(network),
            pools: pools ?? [pool ?? rest.defaultPool],
            ...(qos === undefined ? {} : { qos: present(qos) }),
            ...(podQos === undefined ? {} : { podQos: present(podQos) }),
            ...(network.namespaces === undefined && network.tenant !== undefined ? { namespaces: [] } : {}),
            ipMasqAsPlane: network.ipMasq ?? false,
            routes: routes.map(({ dst, gw, priority, ...more }) =>
              present({ to: dst, via: gw, metric: priority, ...more }),
            ),
            dns: { ...present(tenants.find((tenant) => tenant.name === network.tenant)?.dns ?? {}), ...present(dns) },
            ...(encapsulation === undefined ? {} : { encapsulation: present(encapsulation) }),
            planes: planes.map(present),
            options: {
              path: `networks[${i}].options`,
              value: { ...optionsOf(network.attachment ?? defaults.attachment, { parent, bridge, vlan }), ...options },
            },
          },
        ],
      ),
    ),
    planeRules: planeRules.map(({ planes, ...rule }) => ({ ...present(rule), planes: planes.map(present) })),
  };
}

/** Of the two there is one (cluster-mistakes.ts). */
function storeOf({ etcd, kubernetes }: NonNullable<Shape["cluster"]>["store"]): ClusterStore {
  if (etcd !== undefined) return { etcd: present(etcd) };
  if (kubernetes !== undefined) return { kubernetes: present(kubernetes) };
  throw new Error("cluster.store: neither etcd nor kubernetes");
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The fields that have a value: absent is not undefined. */
const present = <T extends object>(of: T): Present<T> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Present<T>;
