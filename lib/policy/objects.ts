/**
 * What policies speak of, after reading: pods, namespaces, and rules in one form for both kinds of policy
 * (networking.k8s.io/v1 NetworkPolicy, policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy).
 */
import type { Address, Prefix } from "#lib/address.ts";
import type { Selector } from "./selector.ts";

export type Labels = Readonly<Record<string, string>>;

/** Protocols that have ports (core/v1 Protocol). */
export const PROTOCOLS = ["tcp", "udp", "sctp"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface Namespace {
  readonly name: string;
  /** With `kubernetes.io/metadata.name`, which the API server gives to each. */
  readonly labels: Labels;
}

/** A port of one of a pod's containers that has a name. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ports: readonly NamedPort[];
  /** Empty while it has none yet. */
  readonly addresses: readonly Address[];
  /** It is going, or is told not to be ready: nothing for policies. Absent where nobody tells. */
  readonly isUnready?: true;
}

/** `namespace/name`; joined, not concatenated, which would keep the parts in memory beside the whole. */
export const podKey = ({ namespace, name }: Pick<Pod, "namespace" | "name">): string => [namespace, name].join("/");

export type Direction = "ingress" | "egress";

/** Whom a selector means: pods in namespaces. */
export interface Who {
  /** Namespaces by their labels, or the one that the policy is in. */
  readonly namespaces: Selector | { readonly name: string };
  readonly pods: Selector;
}

export interface Block {
  readonly cidr: Prefix;
  readonly except: readonly Prefix[];
}

export type Peer =
  | { readonly kind: "pods"; readonly who: Who }
  /** Addresses, whoever has them. */
  | { readonly kind: "block"; readonly block: Block };

/** Both ends belong to the range. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

export type PortMatch =
  | ({ readonly kind: "range" } & PortRange)
  /** What the pod that is spoken to calls so; of any protocol where none is named. */
  | { readonly kind: "named"; readonly name: string; readonly protocol?: Protocol };

export type Action = "accept" | "deny" | "pass";

export interface Rule {
  /** Where it stands: `ingress[0]`, with its name if it has one. */
  readonly name: string;
  readonly action: Action;
  /** Absent: everybody; empty: nobody. */
  readonly peers?: readonly Peer[];
  /** Absent: every packet, also of protocols without ports. */
  readonly ports?: readonly PortMatch[];
}

export type Tier = "admin" | "network" | "baseline";

export interface Policy {
  /** `NetworkPolicy shop/web`, `ClusterNetworkPolicy lockdown`. */
  readonly name: string;
  readonly tier: Tier;
  /** 0 to 1000; the lower comes first. Means nothing in the tier `network`. */
  readonly priority: number;
  readonly subject: Who;
  /**
   * Rules by direction. In the tier `network` a direction that is present isolates, and every rule accepts; elsewhere the
   * first rule that fits decides.
   */
  readonly rules: Readonly<Partial<Record<Direction, readonly Rule[]>>>;
  /** Rules that are stricter than they are written, since something in them is not known: which, and why. Absent: none. */
  readonly closed?: readonly string[];
}
