/** The daemon's configuration: one type, one parse. No file at all is a working configuration. */
import type { z } from "zod";
import type { Address, Family, Mac, Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { nearest } from "#lib/nearest.ts";
import type { Found } from "#lib/parse.ts";
import type { PodQos, Qos } from "#lib/qos.ts";
import { type Complaint, lookUp, pathText } from "./complaint.ts";
import type { Edge } from "./edge.ts";
import { edgeOf } from "./edge-schema.ts";
import { vniOf } from "./egress-schema.ts";
import { references } from "./references.ts";
import { type ATTACHMENTS, SCHEMA, type Shape } from "./schema.ts";
import { keysAt } from "./settings.ts";
import { optionsOf } from "./shorthand.ts";
import type { Sriov } from "./sriov.ts";
import { type Mistake, readYaml } from "./yaml.ts";

export type Attachment = (typeof ATTACHMENTS)[number];
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Config {
  readonly socket: string;
  readonly stateDir: string;
  readonly queueDirs: readonly string[];
  readonly log: { readonly level: LogLevel };
  readonly workers: number;
  readonly queueLimit: number;
  readonly shutdownSeconds: number;
  readonly ipam: { readonly coolDownSeconds: number };
  readonly pools: readonly ConfiguredPool[];
  /** In the order in which they are tried. */
  readonly poolRules: readonly PoolRule[];
  /** Those that this file declares. */
  readonly reservations: readonly DeclaredReservation[];
  /** One of `pools`. */
  readonly defaultPool: string;
  /** What a network is unless it says otherwise. */
  readonly defaults: NetworkDefaults;
  /** By name. */
  readonly networks: ReadonlyMap<string, Network>;
  /** In the order in which they are asked. */
  readonly planeRules: readonly PlaneRule[];
  readonly sriov: Sriov;
  /** By name. */
  readonly tenants: ReadonlyMap<string, Tenant>;
  readonly routers: Routers;
  /** Absent: the node is alone. */
  readonly cluster?: Cluster;
  /** Absent: no routers. */
  readonly edge?: Edge;
  /** Absent: everybody reaches everybody. */
  readonly policies?: Policies;
  readonly noMasquerade: readonly Prefix[];
  readonly routerAdvertisedLinks: readonly string[];
  readonly reconcile: { readonly everySeconds: number; readonly debounceMs: number };
}

/** Where network policies come from. */
export interface Policies {
  readonly directory: string;
  /** A line in the log for every flow that they deny. */
  readonly logDenied: boolean;
  /** What they deny is counted, and goes on. */
  readonly audit: boolean;
}

export interface ConfiguredPool {
  readonly name: string;
  /** host-local's `ranges`, as written; lib/ipam reads it. */
  readonly ranges: Found;
  readonly exclude: readonly Prefix[];
  /** The first address of a pod that has a name is kept for that name. */
  readonly keepAddress: boolean;
  /** Prefix lengths of the blocks that the nodes of a cluster take of it. */
  readonly blockSize: Readonly<Record<Family, number>>;
}

/** Fits a pod when everything that it says does; `namespace` and `pod` with `*` for any letters. */
export interface PoolRule {
  /** A named network. */
  readonly network?: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** One of `pools`. */
  readonly pool: string;
}

export interface DeclaredReservation {
  readonly name: string;
  /** One of `pools`. */
  readonly pool: string;
  readonly addresses: readonly Address[];
  readonly mac?: Mac;
}

export interface NetworkDefaults {
  readonly attachment: Attachment;
  /** Bytes; absent: the path's. */
  readonly mtu?: number;
  readonly ipMasq: boolean;
  readonly spoofProtection: boolean;
}

/** Complete: what the file left out came from `defaults`. */
export interface Network extends NetworkDefaults {
  readonly name: string;
  /** Of the configuration's, at least one: in the order in which they are drawn from, each family for itself. */
  readonly pools: readonly string[];
  /** Absent: as the pool has it. */
  readonly keepAddress?: boolean;
  readonly qos?: Qos;
  readonly podQos?: PodQos;
  readonly routes: readonly NetworkRoute[];
  readonly dns: NetworkDns;
  /** Further planes; the network itself is the first. */
  readonly planes: readonly ConfiguredPlane[];
  /** Whose pods may join it by annotation; with `*` for any letters. Absent: any's. */
  readonly namespaces?: readonly string[];
  /** Absent: only where the network is one of several planes. */
  readonly policyRouting?: boolean;
  /** `ipMasq` where the network is not the first plane: what leaves by it keeps its address unless the network says otherwise. */
  readonly ipMasqAsPlane: boolean;
  /** One of `tenants`. */
  readonly tenant?: string;
  readonly reportProbeAddress: boolean;
  readonly encapsulation?: Encapsulation;
  /** One segment on all nodes of the cluster: VNI of its VXLAN. */
  readonly stretch?: { readonly vni: number };
  /** Edge routers lead to its addresses. */
  readonly expose: boolean;
  /** The attachment type's own settings, named as it names them; the type reads them. */
  readonly options: Found;
}

/** Networks with addresses of their own, behind a router of their own on the node. */
export interface Tenant {
  readonly name: string;
  readonly egress: boolean;
  /** Of `tenants`; those that name this one too are reached. */
  readonly peers: readonly string[];
  readonly services: readonly TenantService[];
}

/** An address of the tenant's that leads to a server on the node's network. */
export interface TenantService {
  readonly name: string;
  readonly address: Address;
  readonly port: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly to: { readonly address: Address; readonly port: number };
}

export interface Routers {
  readonly dir: string;
  readonly transferRanges: readonly Prefix[];
  readonly probeRanges: readonly Prefix[];
}

export interface Cluster extends ClusterWays {
  readonly store: { readonly etcd: Etcd };
  readonly node: ClusterNode;
  readonly probe: ClusterProbe;
  /** How long a node that was removed must not be heard of before others take what it had. */
  readonly graceSeconds: number;
  readonly egress: readonly EgressAddresses[];
}

/** Addresses by which chosen pods leave the cluster. */
export interface EgressAddresses {
  readonly name: string;
  /** At most one of each family. */
  readonly addresses: readonly Address[];
  /** Of these pods; at least one rule. */
  readonly pods: readonly (Omit<PoolRule, "pool"> & { readonly tenant?: string })[];
  /** Who may hold them, with `*` for any letters, the preferred first. */
  readonly nodes: readonly string[];
  /** Absent: that of the default route. */
  readonly link?: string;
  readonly holdSeconds: number;
  readonly vni: number;
}

/** How packets get from node to node; the same on all nodes. */
export interface ClusterWays {
  readonly way: "auto" | "cross-subnet" | "direct" | "vxlan" | "gre" | "wireguard";
  /** In WireGuard, whichever the way. */
  readonly encrypt: boolean;
  /** UDP port. */
  readonly vxlan: { readonly vni: number; readonly port: number };
  /** RFC 2890. */
  readonly gre: { readonly key: number };
  /** UDP port; how often a key is replaced, and how long before its use the other nodes are told. */
  readonly wireguard: {
    readonly port: number;
    readonly rotateHours: number;
    readonly leadSeconds: number;
    /** wireguard-go, for a kernel that has none. */
    readonly program?: string;
  };
}

/** This node, as the others know it. */
export interface ClusterNode {
  /** Absent: the machine's host name. */
  readonly name?: string;
  /** None: those of the link of the default route. */
  readonly addresses: readonly Address[];
}

/** How nodes find out whether they reach each other. */
export interface ClusterProbe {
  /** UDP, of this node's echo. */
  readonly port: number;
  readonly everyMs: number;
  /** A node that has not answered so many probes in a row does not answer. */
  readonly lost: number;
  /** That is enough for its routes to be withdrawn, whatever the store says. */
  readonly decides: boolean;
}

export interface Etcd {
  /** `https://192.0.2.10:2379`; at least one, of one scheme. */
  readonly endpoints: readonly string[];
  /** PEM files. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  /** Begins and ends with a slash. */
  readonly prefix: string;
  readonly livenessSeconds: number;
}

/** One Ethernet segment with those of other nodes. */
export interface Encapsulation {
  readonly type: "vxlan";
  readonly vni: number;
  /** UDP. */
  readonly port: number;
  readonly peers: readonly Address[];
  readonly local?: Address;
  /** Absent: the link of the node's default route. */
  readonly parent?: string;
}

export interface ConfiguredPlane {
  /** One of `networks`. */
  readonly network: string;
  /** Absent: the network's name. */
  readonly interface?: string;
  readonly defaultRoute?: boolean;
}

/** Everything that it names must hold. */
export interface PlaneRule {
  /** With `*` for any letters, as `pod` has it. */
  readonly namespace?: string;
  readonly pod?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly planes: readonly ConfiguredPlane[];
}

export interface NetworkRoute {
  readonly to: Prefix;
  readonly via?: Address;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly metric?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface NetworkDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/**
 * Reads the YAML text of `file`; an empty text is the default configuration.
 * @throws SelvedgeError config-invalid, once, with a line for everything that is wrong
 */
export function parseConfig(text: string, file = "configuration"): Config {
  const yaml = readYaml(text);
  if (yaml.mistakes.length > 0) throw invalid(file, yaml.mistakes);
  const value = yaml.value ?? {};
  const parsed = SCHEMA.safeParse(value);
  const mistakes = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, value)),
    ...references(value),
  ].map(({ path, key, text }) => ({ ...yaml.place(path, key), text }));
  if (parsed.data === undefined || mistakes.length > 0) throw invalid(file, mistakes);
  return complete(parsed.data);
}

function explain(issue: z.core.$ZodIssue, root: unknown): Complaint[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const meant = nearest(key, keysAt(path));
      const where = pathText([...path, key]);
      const known = keysAt(path).join(", ");
      return {
        path,
        key,
        text: `${where}: unknown setting; ${meant ? `did you mean "${meant}"?` : `known: ${known}`}`,
      };
    });
  const found = lookUp(root, path);
  const shown = JSON.stringify(found) ?? String(found);
  const short = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  const what = found === undefined ? "is missing; it must be" : `${short} is not`;
  return [{ path, text: `${pathText(path)}: ${what} ${issue.message}` }];
}

function invalid(file: string, mistakes: readonly Mistake[]): SelvedgeError {
  const sorted = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted.map(({ line, column, text }) => `${file}${line > 0 ? `:${line}:${column}` : ""}: ${text}`);
  return new SelvedgeError({ kind: "config-invalid", field: file }, lines.join("\n"), {
    hint: "The README's configuration reference lists every setting.",
  });
}

function complete({
  pools,
  poolRules,
  reservations,
  networks,
  planeRules,
  sriov,
  tenants,
  cluster,
  edge,
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
            store: { etcd: present(cluster.store.etcd) },
            wireguard: present(cluster.wireguard),
            egress: cluster.egress.map((each) => ({
              ...present(each),
              vni: vniOf(each),
              pods: each.pods.map(present),
            })),
          },
        }),
    ...(edge === undefined ? {} : { edge: edgeOf(edge) }),
    ...(policies === undefined ? {} : { policies }),
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

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The fields that have a value: absent is not undefined. */
const present = <T extends object>(of: T): Present<T> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Present<T>;
