/** The CNI specification 1.1.0 as types: what comes in and what goes out. Parsing and conversion stand beside. */
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { Found } from "#lib/parse.ts";
import type { PodQos, Qos } from "#lib/qos.ts";
import type { AskedPlane } from "./planes.ts";

export const VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type Version = (typeof VERSIONS)[number];
export const NEWEST: Version = "1.1.0";

export const VERBS = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"] as const;
export type Verb = (typeof VERBS)[number];

/** SPEC section "Parameters". */
export interface Environment {
  readonly verb: Verb;
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args: string;
  readonly path: string;
  readonly allowOwnNetns: boolean;
  readonly traceparent: string;
  readonly tracestate: string;
}

/** What the plugin hands to the daemon: CniRequest of proto/selvedge.proto. */
export interface Request {
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args: string;
  readonly path: string;
  /** Standard input as given. */
  readonly config: Uint8Array;
  /** Inode of `netns` as the plugin sees it; 0 when unknown. Safe: namespace inodes have 32 bits. */
  readonly netnsInode: number;
  readonly traceparent: string;
  readonly tracestate: string;
  readonly allowOwnNetns: boolean;
}

/** SPEC 1.1.0, section "Error"; CniError of proto/selvedge.proto. */
export interface CniError {
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

/** CniReply of proto/selvedge.proto. `result` is printed as it is; empty for DEL, CHECK, GC and STATUS. */
export interface Reply {
  readonly result: Uint8Array;
  readonly error?: CniError;
}

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Absent: every address of the node, both families. */
  readonly hostIp?: Address;
}

/** Bits per second and bits, as the convention has it; 0 or absent is no limit. */
export interface Bandwidth {
  readonly ingressRate?: number;
  readonly ingressBurst?: number;
  readonly egressRate?: number;
  readonly egressBurst?: number;
}

export interface Dns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/** CONVENTIONS.md: what a runtime passes for declared capabilities, and what CNI_ARGS and `args.cni` may say instead. */
export interface RuntimeWishes {
  readonly portMappings: readonly PortMapping[];
  readonly bandwidth?: Bandwidth;
  /** As given; lib/ipam reads it like `ipam.ranges`. */
  readonly ipRanges?: Found;
  readonly ips: readonly (Address | Prefix)[];
  readonly mac?: Mac;
  readonly dns?: Dns;
  readonly aliases: readonly string[];
  readonly deviceId?: string;
  readonly cgroupPath?: string;
  readonly podAnnotations: Readonly<Record<string, string>>;
  /** A pool of the daemon that the pod's annotation names. */
  readonly pool?: string;
  /** The name that it goes by among the reservations, where that is not the pod's own. */
  readonly reservation?: string;
  /** Whether its addresses are to be kept for its name; absent: as the network has it. */
  readonly keepAddress?: boolean;
  /** `args.cni.labels`. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** The pod's annotation `selvedge.dev/planes`, where the runtime passes it. */
  readonly planes?: readonly AskedPlane[];
}

/** The network configuration of one plugin, parsed. Fields of an attachment type are read from `raw` by that type. */
export interface NetConf {
  readonly cniVersion: Version;
  readonly name: string;
  /** `attachment` key, else what `type` of the daemon's named network says, else the daemon's default. */
  readonly attachment?: string;
  /** `network` key: a named network of the daemon's configuration. */
  readonly network?: string;
  readonly ipMasq?: boolean;
  readonly spoofProtection?: boolean;
  readonly mtu?: number;
  /** Networks that the pod is on, each by an interface of its own; the first is this one where `network` is absent. */
  readonly planes?: readonly AskedPlane[];
  readonly policyRouting?: boolean;
  /** Of a further plane: made by the daemon, not by the runtime. */
  readonly further?: true;
  readonly qos?: Qos;
  /** What all its interfaces may take together: the pod's annotation `selvedge.dev/pod-qos`, or `podQos`. */
  readonly podQos?: PodQos;
  readonly dns: Dns;
  /** Absent: Selvedge's own IPAM with the network's pool. `type` "selvedge" is the same. */
  readonly ipam?: Found;
  readonly ipamType?: string;
  readonly wishes: RuntimeWishes;
  /** Pod as namespace/name when CNI_ARGS names it. */
  readonly pod?: string;
  /** Present when chained: the result so far, in the newest version. */
  readonly prevResult?: Result;
  /** `cni.dev/valid-attachments` (or the older key): undefined when the key is absent or null. */
  readonly validAttachments?: readonly { readonly containerId: string; readonly ifname: string }[];
  readonly raw: Found;
}

/** SPEC 1.1.0, section "Success". Always held in the newest version; converted when printed. */
export interface Result {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: Dns;
}

export interface ResultInterface {
  readonly name: string;
  readonly mac?: string;
  readonly mtu?: number;
  readonly sandbox?: string;
  readonly socketPath?: string;
  readonly pciID?: string;
}

export interface ResultIp {
  readonly address: Prefix;
  readonly gateway?: Address;
  readonly interface?: number;
}

export interface ResultRoute {
  readonly dst: Prefix;
  readonly gw?: Address;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly scope?: number;
}
