/** Networks and the planes that pods have of them, as the configuration has them. */
import type { Address } from "#lib/address.ts";
import type { PodRoute } from "#lib/attach/kind.ts";
import type { Dns } from "#lib/cni/types.ts";
import type { Found } from "#lib/parse.ts";
import type { PodQos, Qos } from "#lib/qos.ts";
import type { ATTACHMENTS } from "./schema.ts";

export type Attachment = (typeof ATTACHMENTS)[number];

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
  readonly routes: readonly PodRoute[];
  readonly dns: Dns;
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
  /** It has been deleted, and serves those that are on it. */
  readonly isLeaving?: true;
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
