/** The cluster that the node is part of, as the configuration has it. */
import type { Address } from "#lib/address.ts";
import type { EgressAddresses } from "./egress.ts";

export interface Cluster extends ClusterWays {
  readonly store: ClusterStore;
  readonly node: ClusterNode;
  readonly probe: ClusterProbe;
  /** How long a node that was removed must not be heard of before others take what it had. */
  readonly graceSeconds: number;
  readonly egress: readonly EgressAddresses[];
}

/** Where the nodes meet. */
export type ClusterStore =
  | { readonly etcd: Etcd; readonly kubernetes?: never }
  | { readonly etcd?: never; readonly kubernetes: KubernetesStore };

/** How packets get from node to node; the same on all nodes. */
export interface ClusterWays {
  readonly way: "auto" | "cross-subnet" | "direct" | "vxlan" | "gre" | "wireguard";
  /** In WireGuard, whichever the way. */
  readonly encrypt: boolean;
  /** Packets of established connections go past the firewall's chains when they come from other nodes. */
  readonly flowOffload: boolean;
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
  /** Absent: what the environment says, or the machine's host name. */
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

export interface KubernetesStore {
  /** Absent: the API server that policies come from, or as the service account of the daemon's pod. */
  readonly kubeconfig?: string;
  /** Of the Leases. */
  readonly namespace: string;
  readonly livenessSeconds: number;
}

/** Where the nodes meet, for people. */
export function storeText({ etcd, kubernetes }: ClusterStore): string {
  if (kubernetes !== undefined) return `the API server of Kubernetes, with Leases in namespace ${kubernetes.namespace}`;
  const [first = "", ...others] = etcd.endpoints;
  return `etcd at ${first}${others.length === 0 ? "" : ` (and ${others.length} more)`}`;
}
